package syncfs

import (
	"fmt"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

// BenchmarkCreate creates, writes and closes new files of 4 KiB through syncfs and in the bare directory, in the same
// run: the difference is what the queue costs. The remote is in memory, and answers at once. On ext4 123 us bare and
// 134 us through syncfs (1.1 x); on tmpfs, where a file costs next to nothing, 7 and 20 us.
func BenchmarkCreate(b *testing.B) {
	content := make([]byte, 4<<10)
	for _, c := range []struct {
		name string
		fs   func(b *testing.B) afero.Fs
	}{
		{"bare", func(b *testing.B) afero.Fs { return realDir(b) }},
		{"syncfs", func(b *testing.B) afero.Fs { return newFs(b, afero.NewMemMapFs(), realDir(b), nil) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			fs := c.fs(b)
			require.NoError(b, fs.Mkdir("d", 0o755))
			for i := 0; b.Loop(); i++ {
				f, err := fs.Create(fmt.Sprintf("d/%d", i))
				if err != nil {
					b.Fatal(err)
				}
				if _, err := f.Write(content); err != nil {
					b.Fatal(err)
				}
				if err := f.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
