package syncfs

import (
	"io"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// Whatever the program does with a name after Open, and pushes, it reads the file that it has opened, though the remote
// had not opened it yet: Push does not take it away before that.
func TestPushBeforeTheRemoteHasOpenedAFile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do   func(r *rig) error
		kind faultfs.Kind // what waits
	}{
		"remove":       {func(r *rig) error { return r.fs.Remove("d/f") }, faultfs.Remove},
		"removeall":    {func(r *rig) error { return r.fs.RemoveAll("d") }, faultfs.Remove},
		"rename":       {func(r *rig) error { return r.fs.Rename("d/f", "g") }, faultfs.Rename},
		"rename above": {func(r *rig) error { return r.fs.Rename("d", "e") }, faultfs.Rename},
		"rename over":  {func(r *rig) error { return r.fs.Rename("other", "d/f") }, faultfs.Rename},
		"made anew": {func(r *rig) error {
			require.NoError(r, r.fs.Remove("d/f"))
			r.write("d/f:new")
			return nil
		}, faultfs.Rename},
		"hidden": {func(r *rig) error { return r.fs.Chmod("d/f", 0) }, faultfs.Chmod},
		"times":  {func(r *rig) error { return r.fs.Chtimes("d/f", time.Unix(1, 0), time.Unix(1, 0)) }, faultfs.Chtimes},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nil)
				r.serve("d/f:content", "other")
				var mu sync.Mutex
				var done []string
				r.plan.Before(func(op faultfs.Op) error {
					if op.Kind == faultfs.Open && op.Name == "/d/f" && op.Flag == os.O_RDONLY {
						time.Sleep(time.Second)
					}
					mu.Lock()
					defer mu.Unlock()
					done = append(done, string(op.Kind)+" "+op.Name)
					return nil
				})
				f, err := r.fs.Open("d/f")
				require.NoError(t, err)
				require.NoError(t, c.do(r))
				report, err := r.push()
				require.NoError(t, err)
				require.NotEmpty(t, report.Results)
				mu.Lock()
				order := slices.Clone(done)
				mu.Unlock()
				opened := slices.Index(order, "open /d/f")
				require.GreaterOrEqual(t, opened, 0)
				for i, op := range order {
					if op == string(c.kind)+" /d/f" || op == string(c.kind)+" /d" {
						require.Less(t, opened, i, "%q", order)
					}
				}
				got, err := io.ReadAll(f)
				require.NoError(t, err)
				require.Equal(t, "content", string(got))
				require.NoError(t, f.Close())
			})
		})
	}
}

// A file that is emptied is empty to who has opened it, whether the remote has opened it or not.
func TestEmptiedBeforeTheRemoteHasOpenedAFile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.serve("f:content")
		r.plan.Before(func(op faultfs.Op) error {
			if op.Kind == faultfs.Open && op.Flag == os.O_RDONLY {
				time.Sleep(time.Second)
			}
			return nil
		})
		f, err := r.fs.Open("f")
		require.NoError(t, err)
		r.write("f:new")
		got, err := io.ReadAll(f)
		require.NoError(t, err)
		require.Equal(t, "new", string(got))
		r.pushes()
		require.NoError(t, f.Close())
	})
}
