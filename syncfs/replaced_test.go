package syncfs

import (
	"context"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// Something else in the place of a queued file is not pushed, and nor is what it leads to.
func TestQueuedFileReplaced(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte("not to be published"), 0o600))
	for name, replace := range map[string]func(r *rig, name string) error{
		"by a symbolic link to itself": func(r *rig, name string) error {
			require.NoError(r, r.local.MkdirAll("store", 0o755))
			require.NoError(r, r.local.Rename(name, "store/f"))
			up := strings.Repeat("../", strings.Count(name, "/"))
			return os.Symlink(up+"store/f", r.path(name))
		},
		"by a symbolic link to another file": func(r *rig, name string) error {
			require.NoError(r, r.local.Remove(name))
			r.place("other")
			return os.Symlink(strings.Repeat("../", strings.Count(name, "/"))+"other", r.path(name))
		},
		"by a symbolic link outside": func(r *rig, name string) error {
			require.NoError(r, r.local.Remove(name))
			return os.Symlink(secret, r.path(name))
		},
		"by a symbolic link that leads nowhere": func(r *rig, name string) error {
			require.NoError(r, r.local.Remove(name))
			return os.Symlink("nowhere", r.path(name))
		},
		"by a directory": func(r *rig, name string) error {
			require.NoError(r, r.local.Remove(name))
			return os.Mkdir(r.path(name), 0o755)
		},
		"by hand": func(r *rig, name string) error { return r.local.Remove(name) },
		"with its directory": func(r *rig, name string) error {
			if dir := path.Dir(name); dir != "." {
				require.NoError(r, r.local.Rename(dir, "store"))
				return os.Symlink("store", r.path(dir))
			}
			return r.local.Remove(name)
		},
	} {
		for kind, queue := range map[string]func(r *rig, name string){
			"small": func(r *rig, name string) { r.write(name + ":ours") },
			"large": func(r *rig, name string) { r.write(name + ":" + strings.Repeat("ours ", 1<<20)) },
			"changed": func(r *rig, name string) {
				r.serve(name + ":theirs")
				r.append(name, "+")
			},
			"added": func(r *rig, name string) {
				r.place(name + ":local")
				require.NoError(r, r.fs.Add(name))
			},
		} {
			for _, file := range []string{"f", "d/f"} {
				t.Run(kind+" "+file+" "+name, func(t *testing.T) {
					t.Parallel()
					r := newRig(t, nil)
					r.serve("d/")
					queue(r, file)
					was := r.served()
					require.NoError(t, replace(r, file))
					for range 2 {
						report, err := r.push()
						require.Error(t, err)
						require.NotEmpty(t, report.Results)
						require.ErrorContains(t, report.Results[0].Err, file+": ")
						require.Equal(t, was, r.served())
						r.queued("put " + file)
						r.restart()
					}
				})
			}
		}
	}
}

// The file is replaced after Push has looked at it.
func TestQueuedFileReplacedMeanwhile(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 5 << 20} {
		r := newRig(t, nil)
		r.write("a:first", "f:"+strings.Repeat("x", size))
		other := strings.Repeat("o", size)
		r.place("other:" + other)
		var done atomic.Bool
		r.plan.Before(func(op faultfs.Op) error {
			if op.Kind == faultfs.Open && strings.HasSuffix(op.Name, ".part") && done.CompareAndSwap(false, true) {
				assert.NoError(t, r.local.Rename("f", "was"))
				assert.NoError(t, os.Symlink("other", r.path("f")))
			}
			return nil
		})
		_, err := r.push()
		require.Error(t, err)
		r.plan.Before(nil)
		_, err = r.push()
		require.ErrorIs(t, err, fs.ErrInvalid)
		for name, e := range r.served() {
			require.NotEqual(t, "f", name, "%.20s", e.Content)
		}
	}
}

// What a resolver is given to read is the file that was queued.
func TestConflictOpensWhatWasQueued(t *testing.T) {
	t.Parallel()
	var r *rig
	opts := &Options{Resolve: func(c Conflict) ConflictPolicy {
		f, err := c.OpenLocal()
		assert.NoError(r, err)
		text, err := io.ReadAll(f)
		assert.NoError(r, err)
		assert.NoError(r, f.Close())
		assert.Equal(r, "x+", string(text))
		assert.NoError(r, r.local.Rename("x", "was"))
		assert.NoError(r, os.Symlink("was", r.path("x")))
		_, err = c.OpenLocal()
		assert.ErrorIs(r, err, ErrBusy)
		assert.NoError(r, r.local.Remove("x"))
		r.place("x:an")
		_, err = c.OpenLocal()
		assert.ErrorIs(r, err, ErrBusy)
		return Overwrite
	}}
	r = newRig(t, opts)
	r.serve("x")
	r.append("x", "+")
	r.serve("x:theirs")
	_, err := r.fs.Push(context.Background())
	require.ErrorIs(t, err, ErrBusy)
	r.has(r.served(), "x:theirs")
}
