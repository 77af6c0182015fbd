package syncfs

import (
	"io/fs"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// A published file has its mode from its first moment, and nobody reads more of its temporary file than they may of it.
func TestModeOfAPublishedFile(t *testing.T) {
	t.Parallel()
	for _, mode := range []fs.FileMode{0o600, 0o640, 0o644, 0o666, 0o755, 0o444, 0o400, 0o000, 0o711} {
		t.Run(mode.String(), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			require.NoError(t, afero.WriteFile(r.fs, "f", []byte("text"), mode|0o600))
			require.NoError(t, r.fs.Chmod("f", mode))
			meanwhile := fs.FileMode(0)
			r.plan.Before(func(op faultfs.Op) error {
				switch op.Kind {
				case faultfs.Write:
					fi, err := r.remote.Stat(op.Name)
					require.NoError(t, err)
					meanwhile = fi.Mode()
				case faultfs.Rename:
					fi, err := r.remote.Stat(op.Name)
					require.NoError(t, err)
					require.Equal(t, mode, fi.Mode(), "when it is published")
				}
				return nil
			})
			r.pushes()
			require.Zero(t, meanwhile&0o044&^mode, "readable by others, which it is not to be")
			fi, err := r.remote.Stat("f")
			require.NoError(t, err)
			require.Equal(t, mode, fi.Mode())
		})
	}
}
