package umask

import (
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLeft(t *testing.T) {
	t.Parallel()
	for made, left := range map[fs.FileMode]fs.FileMode{
		0o666: 0o777, 0o644: 0o755, 0o640: 0o750, 0o660: 0o770, 0o600: 0o700, 0o755: 0o755, fs.ModeSetgid | 0o644: 0o755, 0: 0,
	} {
		require.Equal(t, left, Left(made), "%v", made)
	}
}
