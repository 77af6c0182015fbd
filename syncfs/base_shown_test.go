package syncfs

import (
	"context"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// size is what Stat says.
func (r *rig) size(name string) int64 {
	r.Helper()
	fi, err := r.fs.Stat(name)
	require.NoError(r, err)
	return fi.Size()
}

// possibleOffline are those that need no answer of the remote about a name that is not here.
var possibleOffline = []string{"truncating open", "create", "remove", "chmod", "chown", "chtimes", "edit by hand", "add", "removed, made"}

func revalidating(after time.Duration) *Options {
	return &Options{Cache: cachefs.Options{Revalidate: after}}
}

// unseen are changes that a program makes to a file whose first version it has read, without reading it again.
var unseen = map[string]func(r *rig){
	"truncating open": func(r *rig) { r.write("d/f:ours") },
	"create": func(r *rig) {
		f, err := r.fs.Create("d/f")
		require.NoError(r, err)
		require.NoError(r, f.Close())
	},
	"truncating open, renamed": func(r *rig) {
		r.write("d/f:ours")
		require.NoError(r, r.fs.Rename("d/f", "d/g"))
	},
	"rename, truncating open": func(r *rig) {
		require.NoError(r, r.fs.Rename("d/f", "d/g"))
		r.write("d/g:ours")
	},
	"write, rename over": func(r *rig) {
		r.write("d/t:ours")
		require.NoError(r, r.fs.Rename("d/t", "d/f"))
	},
	"rename over":    func(r *rig) { require.NoError(r, r.fs.Rename("d/other", "d/f")) },
	"rename":         func(r *rig) { require.NoError(r, r.fs.Rename("d/f", "d/g")) },
	"remove":         func(r *rig) { require.NoError(r, r.fs.Remove("d/f")) },
	"remove all":     func(r *rig) { require.NoError(r, r.fs.RemoveAll("d")) },
	"chmod":          func(r *rig) { require.NoError(r, r.fs.Chmod("d/f", 0o600)) },
	"chown":          func(r *rig) { require.NoError(r, r.fs.Chown("d/f", os.Getuid(), os.Getgid())) },
	"chtimes":        func(r *rig) { require.NoError(r, r.fs.Chtimes("d/f", time.Unix(1, 0), time.Unix(1, 0))) },
	"edit by hand":   func(r *rig) { r.place("d/f:by hand"); require.NoError(r, r.fs.AddDir("d", nil)) },
	"add":            func(r *rig) { require.NoError(r, r.fs.Add("d/f")) },
	"removed, made":  func(r *rig) { require.NoError(r, r.fs.Remove("d/f")); r.write("d/f:ours") },
	"removed, a dir": func(r *rig) { require.NoError(r, r.fs.Remove("d/f")); require.NoError(r, r.fs.Mkdir("d/f", 0o755)) },
	"removed, a link": func(r *rig) {
		require.NoError(r, r.fs.Remove("d/f"))
		require.NoError(r, r.fs.SymlinkIfPossible("other", "d/f"))
	},
	"renamed, evicted": func(r *rig) {
		require.NoError(r, r.fs.Rename("d/f", "d/g"))
		require.NoError(r, r.fs.Evict("d/g"))
	},
	"renamed, evicted, removed": func(r *rig) {
		require.NoError(r, r.fs.Rename("d/f", "d/g"))
		require.NoError(r, r.fs.Evict("d/g"))
		require.NoError(r, r.fs.Remove("d/g"))
	},
	"chmod, evicted, truncating open": func(r *rig) {
		require.NoError(r, r.fs.Chmod("d/f", 0o600))
		require.NoError(r, r.fs.Evict("d/f"))
		r.write("d/f:ours")
	},
}

// heard are the ways in which this side may or may not have heard of the second version, none of which shows its content.
var heard = map[string]func(r *rig){
	"not":             func(*rig) {},
	"by asking again": func(r *rig) { r.opts = revalidating(cachefs.Always); r.restart() },
	"by stat": func(r *rig) {
		r.opts = revalidating(cachefs.Always)
		r.restart()
		require.NoError(r, second(r.fs.Stat("d/f")))
		r.opts = nil
		r.restart()
	},
	"by a list": func(r *rig) {
		r.opts = revalidating(cachefs.Always)
		r.restart()
		require.NoError(r, second(afero.ReadDir(r.fs, "d")))
	},
	"of its being invalid": func(r *rig) { require.NoError(r, r.fs.Invalidate("/")) },
	"of nothing since": func(r *rig) {
		r.opts = &Options{Cache: cachefs.Options{StaleIfUnavailable: true}}
		r.restart()
		require.NoError(r, r.fs.Invalidate("/d/f"))
	},
	"by a fetch that failed": func(r *rig) {
		require.NoError(r, r.fs.Invalidate("/"))
		r.plan.Before(func(op faultfs.Op) error {
			if op.Kind == faultfs.Open {
				return errDown
			}
			return nil
		})
		require.Error(r, r.fs.Fetch(context.Background(), "d/f"))
		r.plan.Heal()
	},
}

// Whatever changes a file whose copy is here is made to the version of the copy: that is what the program was shown. Another
// one on the remote is a conflict, whether or not this side had heard of it.
func TestChangeIsMadeToTheCopy(t *testing.T) {
	t.Parallel()
	for how, hear := range heard {
		for name, change := range unseen {
			for _, old := range []bool{true, false} {
				offline := how == "of nothing since"
				if offline && !slices.Contains(possibleOffline, name) {
					continue
				}
				t.Run(how+"/"+name, func(t *testing.T) {
					t.Parallel()
					r := newRig(t, nil)
					r.serve("d/f:version one", "d/other")
					if old {
						day := time.Now().Add(-50 * time.Hour)
						require.NoError(t, r.remote.Chtimes("d/f", day, day))
					}
					r.reads("d/f", "version one")
					r.serve("d/f:version two!")
					hear(r)
					if offline {
						r.down()
					}
					change(r)
					r.up()
					r.restart()
					r.fails(ErrConflict)
					r.holds("d/f", "version two!")
					r.restart()
					_, err := r.fs.PushWith(t.Context(), Overwrite)
					require.NoError(t, err)
					r.pushes()
				})
			}
		}
	}
}

// A version that the program was shown, and that others have removed before it came here, is not made of an older copy.
func TestOldCopyOfARemovedFile(t *testing.T) {
	t.Parallel()
	shown := func(t *testing.T) *rig {
		r := newRig(t, nil)
		r.serve("d/f:version one")
		r.reads("d/f", "version one")
		r.serve("d/f:version two!")
		heard["by stat"](r)
		require.Equal(t, int64(len("version two!")), r.size("d/f"))
		require.NoError(t, r.remote.Remove("d/f"))
		return r
	}
	for _, flag := range []int{os.O_WRONLY | os.O_APPEND, os.O_RDWR, os.O_WRONLY} {
		r := shown(t)
		_, err := r.fs.OpenFile("d/f", flag, 0)
		require.ErrorIs(t, err, os.ErrNotExist)
		_, err = r.fs.Stat("d/f")
		require.ErrorIs(t, err, os.ErrNotExist)
		r.queued()
		r.pushes()
		r.has(r.served(), "d/")
	}
	for _, flag := range []int{os.O_RDWR | os.O_CREATE, os.O_WRONLY | os.O_CREATE | os.O_APPEND, os.O_RDWR | os.O_CREATE | os.O_TRUNC} {
		r := shown(t)
		f, err := r.fs.OpenFile("d/f", flag, 0o644)
		require.NoError(t, err)
		_, err = f.WriteString("ours")
		require.NoError(t, err)
		require.NoError(t, f.Close())
		r.queued("put d/f")
		r.pushes()
		r.has(r.served(), "d/", "d/f:ours")
	}
}
