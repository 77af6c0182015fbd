package crashfs_test

import (
	"testing"

	"github.com/spf13/afero"
	"go.uber.org/goleak"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var subject = aferotest.Subject{
	New: func(testing.TB) afero.Fs { return crashfs.New(nil) },
	Incapable: map[aferotest.Capability]string{
		aferotest.Links:     "crashfs has none",
		aferotest.FullFiles: "the local side does not need them",
	},
}

func TestConformance(t *testing.T) {
	t.Parallel()
	aferotest.Run(t, subject)
}

func TestDifferential(t *testing.T) {
	t.Parallel()
	aferotest.Differential(t, subject)
}
