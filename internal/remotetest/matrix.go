package remotetest

import (
	"os"
	"testing"

	"github.com/spf13/afero"
)

// Local is one kind of local directory, as programs pass it.
type Local struct {
	Name string
	New  func(t testing.TB) afero.Fs
}

// Locals are all kinds of local directories.
var Locals = []Local{
	{"local directory", func(t testing.TB) afero.Fs { return afero.NewBasePathFs(afero.NewOsFs(), t.TempDir()) }},
	{"local memory", func(testing.TB) afero.Fs { return &afero.MemMapFs{} }},
}

// Full reports whether tests that take long are requested, too.
func Full() bool { return os.Getenv("SYNCFS_FULL") == "1" }

// Matrix runs a test for each kind of remote with each kind of local directory. Unless Full, each kind of remote runs
// with one kind of local directory, and only every step-th, beginning with first.
func Matrix(t *testing.T, first, step int, test func(t *testing.T, r Remote, l Local)) {
	for i, kind := range Kinds {
		for j, l := range Locals {
			if (j != i%len(Locals) || i < first || (i-first)%step != 0) && !Full() {
				continue
			}
			t.Run(kind.Name+", "+l.Name, func(t *testing.T) {
				t.Parallel()
				test(t, kind.Start(t), l)
			})
		}
	}
}
