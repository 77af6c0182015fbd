package syncfs

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/link"
	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
)

// On a server that does not replace by rename, the old file is moved aside, and removed once the new one has its place. The
// connection is cut before and after each of these steps: the server has one of the two, under its name or aside, and the
// Push, which tries again, brings the new one to its place and leaves nothing else.
func TestCutWhileTheOldFileIsAside(t *testing.T) {
	t.Parallel()
	server := opensshtest.Start(t, opensshtest.Options{SFTPServerArgs: []string{"-P", "posix-rename"}})
	steps := []faultfs.Kind{faultfs.Rename, faultfs.Rename, faultfs.Rename, faultfs.Remove} // the first one is refused
	for i := range steps {
		for _, before := range []bool{true, false} {
			t.Run(fmt.Sprintf("%d, before %v", i, before), func(t *testing.T) {
				l, err := link.New(server.Addr, link.Options{})
				require.NoError(t, err)
				t.Cleanup(func() { require.NoError(t, l.Close()) })
				root := filepath.Join(server.Root, fmt.Sprint(i, before))
				require.NoError(t, os.Mkdir(root, 0o755))
				require.NoError(t, os.WriteFile(filepath.Join(root, "x"), []byte("the old one"), 0o644))
				remote, err := sftpfs.New(sftpfs.Config{
					Addr: server.Addr, User: server.User, KeyFiles: []string{server.KeyFile},
					KnownHosts: []string{server.KnownHosts}, Root: root,
					Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
						return new(net.Dialer).DialContext(ctx, network, l.Addr())
					},
				})
				require.NoError(t, err)
				t.Cleanup(func() { require.NoError(t, remote.Close()) })

				plan, made, cut := new(faultfs.Plan), 0, false
				look := func(here bool, kind faultfs.Kind) {
					if here != before || cut || made >= len(steps) || kind != steps[made] {
						return
					}
					if cut = made == i; cut {
						l.Cut()
						requireOldOrNew(t, root)
					}
				}
				plan.Before(func(op faultfs.Op) error { look(true, op.Kind); return nil })
				plan.After(func(op faultfs.Op, err error) error {
					look(false, op.Kind)
					if made < len(steps) && op.Kind == steps[made] {
						made++
					}
					return err
				})
				s, err := New(faultfs.New(remote, plan), realDir(t), nil) // it tries again for as long as it does by default
				require.NoError(t, err)
				t.Cleanup(func() { require.NoError(t, s.Close()) })
				require.NoError(t, afero.WriteFile(s, "x", []byte("the new one, longer"), 0o644))
				_, err = s.Push(t.Context())
				require.NoError(t, err)
				require.True(t, cut)
				text, err := os.ReadFile(filepath.Join(root, "x"))
				require.NoError(t, err)
				require.Equal(t, "the new one, longer", string(text))
				left, err := os.ReadDir(root)
				require.NoError(t, err)
				require.Len(t, left, 1)
			})
		}
	}
}

// requireOldOrNew requires that one of both versions is there, whole.
func requireOldOrNew(t *testing.T, root string) {
	names, err := filepath.Glob(filepath.Join(root, "*x"))
	require.NoError(t, err)
	aside, err := filepath.Glob(filepath.Join(root, "x (replaced *)")) // for all to see
	require.NoError(t, err)
	names = append(names, aside...)
	require.NotEmpty(t, names)
	for _, name := range names {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		require.Contains(t, []string{"the old one", "the new one, longer"}, string(text))
	}
}
