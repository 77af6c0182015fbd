package mirror

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// BenchmarkOwnedFiles restores copies from the log, and reports the memory that each takes: 296 bytes, of which the node has
// 128 and the record of its copy 96.
func BenchmarkOwnedFiles(b *testing.B) {
	for _, files := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprint(files), func(b *testing.B) { ownedFiles(b, files) })
	}
}

func ownedFiles(b *testing.B, files int) {
	const perDir = 100
	local := afero.NewBasePathFs(afero.NewOsFs(), b.TempDir())
	m, err := Open(afero.NewMemMapFs(), local, Options{})
	if err != nil {
		b.Fatal(err)
	}
	err = m.Do(func(v *View) error {
		t := v.Tree()
		var dir *tree.Node
		for i := range files {
			if i%perDir == 0 {
				dir = t.Discover(t.Root(), fmt.Sprintf("directory%04d", i/perDir), tree.Dir, tree.Meta{}, 1)
			}
			n := t.Discover(dir, fmt.Sprintf("file-%08d.dat", i), tree.File, tree.Meta{Mode: 0o644, Size: 1000, MTime: 1e18}, 1)
			t.Own(n, tree.Copy{Stamp: tree.Stamp{Size: 1000, MTime: 1e18, CTime: 1e18, Ino: uint64(i)}, Fetched: 1e18})
		}
		return nil
	})
	if err == nil {
		err = m.Close()
	}
	if err != nil {
		b.Fatal(err)
	}
	m = nil
	for b.Loop() {
		before := heap()
		m, err := Open(afero.NewMemMapFs(), local, Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(heap()-before)/float64(files), "B/file")
		if err := m.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func heap() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}
