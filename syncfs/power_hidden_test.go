package syncfs

import (
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
)

// A file that only the remote has is renamed to a name of which the local directory had another file. If a loss of power
// brings that file back, it does not pass for one of the user's, which would hide the renamed one.
func TestRenamedFileIsNotHiddenAtPowerLoss(t *testing.T) {
	t.Parallel()
	for name, rename := range map[string]func(*testing.T, *Fs){
		"over it": func(t *testing.T, s *Fs) {
			require.NoError(t, s.Rename("a", "d/b"))
		},
		"after it was removed": func(t *testing.T, s *Fs) {
			require.NoError(t, s.Remove("d/b"))
			require.NoError(t, s.Rename("a", "d/b"))
		},
		"after it was evicted": func(t *testing.T, s *Fs) {
			require.NoError(t, s.Evict("d/b"))
			require.NoError(t, s.Rename("a", "d/b"))
		},
		"after it was renamed": func(t *testing.T, s *Fs) {
			require.NoError(t, s.Rename("d/b", "c"))
			require.NoError(t, s.Rename("a", "d/b"))
		},
		"with its directory": func(t *testing.T, s *Fs) {
			require.NoError(t, s.Mkdir("e", 0o755))
			require.NoError(t, s.Rename("a", "e/b"))
			require.NoError(t, s.Rename("d", "f"))
			require.NoError(t, s.Rename("e", "d"))
		},
		"over it, in two steps": func(t *testing.T, s *Fs) {
			require.NoError(t, s.Rename("a", "c"))
			require.NoError(t, s.Rename("c", "d/b"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, journal := range []bool{false, true} {
				disk := crashfs.New(&crashfs.Options{Journal: journal, Inodes: journal})
				remote := aferotest.OS(t.TempDir())
				require.NoError(t, remote.Mkdir("d", 0o755))
				for file, text := range map[string]string{"a": "the one that moves", "d/b": "the old one"} {
					require.NoError(t, afero.WriteFile(remote, file, []byte(text), 0o644))
				}
				s := newFs(t, remote, disk, nil)
				_, err := afero.ReadFile(s, "d/b")
				require.NoError(t, err)
				require.NoError(t, s.m.SyncLog())
				syncOn(t, disk, "/d/b", "/d", "/")
				rename(t, s)
				for how, after := range powerless(t, disk) {
					left := newFs(t, remote, after, nil)
					var texts []string
					for _, file := range []string{"a", "c", "d/b", "e/b", "f/b"} {
						if text, err := afero.ReadFile(left, file); err == nil {
							texts = append(texts, string(text))
						}
					}
					require.Contains(t, texts, "the one that moves", "%s, journal %v", how, journal)
					require.NoError(t, left.Close())
				}
			}
		})
	}
}
