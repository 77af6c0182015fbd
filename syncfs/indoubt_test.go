package syncfs

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// A step in doubt is reported as made if it was made, although it is not planned any more; not because the program takes the
// change back before Push finds out.
func TestReportOfAStepInDoubt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change, takeBack func(r *rig)
		kind             faultfs.Kind
		want             []string // reported
	}{
		"new file": {
			func(r *rig) { r.write("n") },
			func(r *rig) { require.NoError(r, r.fs.Remove("n")) },
			faultfs.Rename, nil,
		},
		"edit, removal": {
			func(r *rig) { r.append("x", "+") },
			func(r *rig) { require.NoError(r, r.fs.Remove("x")) },
			faultfs.Rename, []string{"remove x"},
		},
		"directory": {
			func(r *rig) { require.NoError(r, r.fs.Mkdir("n", 0o755)) },
			func(r *rig) { require.NoError(r, r.fs.Remove("n")) },
			faultfs.Mkdir, nil,
		},
		"symbolic link": {
			func(r *rig) { require.NoError(r, r.fs.SymlinkIfPossible("x", "n")) },
			func(r *rig) { require.NoError(r, r.fs.Remove("n")) },
			faultfs.Symlink, nil,
		},
		"rename back": {
			func(r *rig) { require.NoError(r, r.fs.Rename("x", "n")) },
			func(r *rig) { require.NoError(r, r.fs.Rename("n", "x")) },
			faultfs.Rename, nil,
		},
		"removal": {
			func(r *rig) { require.NoError(r, r.fs.Remove("x")) },
			func(r *rig) {
				f, err := r.fs.OpenFile("x", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
				require.NoError(r, err)
				require.NoError(r, f.Close())
			},
			faultfs.Remove, []string{"put x"},
		},
	} {
		for _, made := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/made %v", name, made), func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					r := newRig(t, &Options{RetryFor: time.Minute})
					r.serve("x")
					c.change(r)
					want := c.want
					if made {
						want = r.pending()
					}
					lose := func(op faultfs.Op, err error) error {
						if op.Kind != c.kind || err != nil {
							return err
						}
						r.plan.Heal()
						if !made {
							c.takeBack(r)
						}
						return errDown
					}
					if made {
						r.plan.After(lose)
					} else {
						r.plan.Before(func(op faultfs.Op) error { return lose(op, nil) })
					}
					var reported []string
					for _, result := range r.pushes().Results {
						require.NoError(t, result.Err)
						reported = append(reported, result.String())
					}
					require.Equal(t, want, reported)
				})
			})
		}
	}
}
