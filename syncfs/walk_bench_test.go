package syncfs

import (
	"fmt"
	"io/fs"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
)

// BenchmarkWalk walks 50,000 names of which there are copies, beside walking the local directory without a cache.
func BenchmarkWalk(b *testing.B) {
	const dirs, files = 200, 250
	remote, local := aferotest.OS(b.TempDir()), afero.NewBasePathFs(afero.NewOsFs(), b.TempDir())
	for i := range dirs {
		dir := fmt.Sprint("d", i)
		require.NoError(b, remote.Mkdir(dir, 0o755))
		for j := range files {
			require.NoError(b, afero.WriteFile(remote, fmt.Sprintf("%s/f%d", dir, j), []byte("x"), 0o644))
		}
	}
	s, err := New(remote, local, nil)
	require.NoError(b, err)
	defer func() { require.NoError(b, s.Close()) }()
	require.NoError(b, second(s.Pull(b.Context(), "/")))
	for _, subject := range []struct {
		name string
		fsys afero.Fs
	}{{"syncfs", s}, {"afero BasePathFs", local}} {
		b.Run(subject.name, func(b *testing.B) {
			for b.Loop() {
				names := 0
				require.NoError(b, afero.Walk(subject.fsys, "/", func(string, fs.FileInfo, error) error {
					names++
					return nil
				}))
				require.GreaterOrEqual(b, names, 1+dirs+dirs*files)
			}
		})
	}
}
