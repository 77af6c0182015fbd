package syncfs

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// Close waits until a call has deleted what it moved to the trash: after Close the local directory may belong to another Fs.
func TestCloseWaitsForTheTrash(t *testing.T) {
	for name, call := range map[string]func(r *rig) error{
		"remove":    func(r *rig) error { return r.fs.Remove("x") },
		"removeall": func(r *rig) error { return r.fs.RemoveAll("d") },
		"rename":    func(r *rig) error { return r.fs.Rename("theirs", "mine") },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newRig(t, nil)
				require.NoError(t, r.fs.Close())
				near := new(faultfs.Plan)
				r.local = faultfs.New(r.local, near)
				r.start()
				r.write("x", "d/z")
				r.place("mine")
				r.serve("theirs")
				closed := make(chan error, 1)
				emptied := 0
				near.Before(func(op faultfs.Op) error {
					if (op.Kind == faultfs.Remove || op.Kind == faultfs.RemoveAll) && strings.HasPrefix(op.Name, "/"+localdir.TrashDir+"/") {
						if emptied++; emptied == 1 {
							go func() { closed <- r.fs.Close() }()
						}
						synctest.Wait()
						require.Empty(t, closed, "closed while the trash is emptied")
					}
					return nil
				})
				require.NoError(t, call(r))
				require.NoError(t, <-closed)
				require.NotZero(t, emptied)
				near.Heal()
				r.start()
			})
		})
	}
}
