package sftptest

import (
	"testing"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
)

// The tree in memory is held to package os by itself, where its own server can't hide anything.
func TestMemFsConformance(t *testing.T) {
	t.Parallel()
	aferotest.Run(t, aferotest.Subject{
		New:       func(testing.TB) afero.Fs { return newMemFs() },
		Incapable: map[aferotest.Capability]string{aferotest.FullFiles: "a server does not need them"},
	})
}
