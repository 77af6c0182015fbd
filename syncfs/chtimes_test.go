package syncfs

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
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
