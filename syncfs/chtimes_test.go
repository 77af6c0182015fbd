package syncfs

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
)

// A time that cannot be set, or only in part, leaves a file that the program has written its own: it is pushed, with one of
// the times that it was given.
func TestTimesThatCannotBeSet(t *testing.T) {
	t.Parallel()
	for _, times := range []int{1, 2, 3} { // of which the last one fails
		for _, effect := range []faultfs.Effect{faultfs.Nothing, faultfs.Whole} {
			for _, sticky := range []bool{false, true} {
				for _, end := range []string{"", "restart"} {
					for index, met := 0, true; met; index++ {
						name := fmt.Sprintf("%d times/%v/sticky %v/%s/%d", times, effect, sticky, end, index)
						r := newRig(t, nil)
						local, near := r.local, new(faultfs.Plan)
						r.local = faultfs.New(local, near)
						r.restart()
						r.write("f:ours")
						set := func(i int) error {
							at := time.Unix(1_000_000_000+int64(i), 0)
							return r.fs.Chtimes("f", at, at)
						}
						for i := range times - 1 {
							require.NoError(t, set(i))
						}
						near.Inject(faultfs.Fault{Index: near.Total() + index, Effect: effect, Sticky: sticky})
						err := set(times)
						met = len(near.Fired()) > 0
						require.True(t, met || err == nil, "%s: %v", name, err)
						near.Heal()
						if end == "restart" {
							_ = r.fs.Close() // its log may be broken
							r.start()
						}
						_, err = r.push()
						if err != nil && end == "" { // with a log that is broken there is no other way
							require.ErrorIs(t, err, faultfs.ErrInjected, name)
							_ = r.fs.Close()
							r.start()
							_, err = r.push()
						}
						require.NoError(t, err, name)
						require.Equal(t, "ours", r.remoteText("f"), name)
						_ = r.fs.Close()
						r.local = local
						r.start()
					}
				}
			}
		}
	}
}

// A time that this side sets makes no other version of the one that an outdated copy is of: what follows is no conflict.
func TestTimesOfAnOutdatedCopy(t *testing.T) {
	t.Parallel()
	for _, lost := range []bool{false, true} {
		for name, next := range map[string]func(r *rig){
			"nothing": func(*rig) {},
			"chmod":   func(r *rig) { require.NoError(r, r.fs.Chmod("f", 0o600)) },
			"chtimes": func(r *rig) { require.NoError(r, r.fs.Chtimes("f", time.Unix(5, 0), time.Unix(5, 0))) },
			"rename":  func(r *rig) { require.NoError(r, r.fs.Rename("f", "g")) },
			"remove":  func(r *rig) { require.NoError(r, r.fs.Remove("f")) },
			"append":  func(r *rig) { r.append("f", "+") },
			"replace": func(r *rig) { r.write("f:ours") },
		} {
			t.Run(fmt.Sprintf("%s/answer lost %v", name, lost), func(t *testing.T) {
				t.Parallel()
				r := newRig(t, nil)
				r.serve("f:theirs")
				r.reads("f", "theirs")
				require.NoError(t, r.fs.m.Do(func(v *mirror.View) error {
					outdate(v, v.Tree().Lookup("f")) // as after a fetch within the second in which it was written
					return nil
				}))
				require.NoError(t, r.fs.Chtimes("f", time.Unix(1_000_000_000, 0), time.Unix(1_000_000_000, 0)))
				if lost {
					r.plan.After(func(op faultfs.Op, err error) error {
						if op.Kind == faultfs.Chtimes {
							return errDown
						}
						return err
					})
					r.fails(ErrUnavailable)
					r.plan.Heal()
				} else {
					r.pushes()
				}
				next(r)
				r.pushes()
			})
		}
	}
}
