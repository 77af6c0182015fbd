package syncfs

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// clockAhead are options with a clock that is wrong by so much.
func clockAhead(d time.Duration) *Options {
	o := &Options{}
	o.Cache.Now = func() time.Time { return time.Now().Add(d) }
	return o
}

// rewrite gives a file on the remote another content of the same size and second.
func (r *rig) rewrite(name, content string, mtime time.Time) {
	r.Helper()
	r.serve(name + ":" + content)
	require.NoError(r, r.remote.Chtimes(name, mtime, mtime))
}

// A content that was fetched before its second was over is compared before anything is done to it, however wrong the clock of
// this side is.
func TestSameSecondWhateverTheClock(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{0, 3 * time.Second, time.Hour, -time.Hour, 14 * time.Hour} {
		for name, change := range unseen {
			for _, foreign := range []bool{true, false} {
				t.Run(fmt.Sprintf("%v/%s/%v", skew, name, foreign), func(t *testing.T) {
					t.Parallel()
					r := newRig(t, clockAhead(skew))
					r.serve("d/f:first", "d/other")
					now := time.Now().Truncate(time.Second)
					r.rewrite("d/f", "first", now)
					r.reads("d/f", "first")
					change(r)
					if foreign {
						r.rewrite("d/f", "other", now)
					}
					r.restart()
					if !foreign {
						_, err := r.push()
						require.NoError(t, err)
						return
					}
					r.fails(ErrConflict)
					r.holds("d/f", "other")
					_, err := r.fs.PushWith(t.Context(), Overwrite)
					require.NoError(t, err)
					r.pushes()
				})
			}
		}
	}
}

// Once this side has had to compare a content, it knows the clock of the server and compares no more than it must.
func TestClocksAreCompared(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{0, time.Hour, -time.Hour} {
		r := newRig(t, clockAhead(skew))
		ago := time.Now().Add(-time.Minute).Truncate(time.Second)
		for i := range 4 {
			r.rewrite(fmt.Sprint("d/f", i), "first", ago)
		}
		opens := func(name string) int {
			r.fetch(name)
			require.NoError(t, r.fs.Rename(name, name+"+"))
			before := r.plan.Count(faultfs.Open)
			_, err := r.push()
			require.NoError(t, err)
			return r.plan.Count(faultfs.Open) - before
		}
		require.Equal(t, 1, opens("d/f0"))
		require.Zero(t, opens("d/f1"))
		r.restart()
		require.Equal(t, 1, opens("d/f2"))
		r.restart()
		require.NoError(t, r.fs.Mkdir("e", 0o755)) // tells the time, too
		r.pushes()
		require.Zero(t, opens("d/f3"))
	}
}

// A change that overwrites a content which its version did not tell from the copy does not make the copy pass for it.
func TestOverwrittenUnsureContentIsNotTheCopy(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(r *rig) error{
		"f": func(r *rig) error { return r.fs.Chmod("f", 0o600) },
		"g": func(r *rig) error { return r.fs.Rename("f", "g") },
	} {
		r := newRig(t, &Options{Conflict: Overwrite})
		now := time.Now().Truncate(time.Second)
		r.rewrite("f", "first", now)
		r.fetch("f")
		require.NoError(t, change(r))
		r.rewrite("f", "other", now)
		_, err := r.push()
		require.NoError(t, err)
		r.reads(name, "other")
	}
}
