package localdir

import (
	"os"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

// BenchmarkOpenReadClose reads a file of 4 KiB three directories deep.
func BenchmarkOpenReadClose(b *testing.B) {
	for _, kind := range []struct {
		name string
		fsys afero.Fs
	}{{"real", osDir(b.TempDir())}, {"memory", afero.NewMemMapFs()}} {
		b.Run(kind.name, func(b *testing.B) {
			d, err := Open(kind.fsys)
			require.NoError(b, err)
			defer d.Close()
			p := make([]byte, 4096)
			require.NoError(b, d.MkdirAll("a/b/c", 0o755))
			write(b, d, "a/b/c/file", string(p))
			b.ReportAllocs()
			for b.Loop() {
				f, err := d.OpenFile("a/b/c/file", os.O_RDONLY, 0)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := f.ReadAt(p, 0); err != nil {
					b.Fatal(err)
				}
				f.Close()
			}
			require.NoError(b, d.RemoveAll("a"))
		})
	}
}
