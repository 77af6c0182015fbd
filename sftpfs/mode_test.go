package sftpfs

import (
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMasked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		perm, made, want fs.FileMode
		change           bool
	}{
		{0o600, 0o644, 0o600, true},
		{0o666, 0o644, 0o644, false},
		{0o777, 0o644, 0o755, true},
		{0o755, 0o600, 0o700, true}, // umask 077
		{0o775, 0o664, 0o775, true}, // umask 002
		{0o777, 0o640, 0o750, true}, // umask 027
		{0o000, 0o644, 0o000, true},
		{0o600, 0o000, 0o000, false}, // the server tells no modes
		{0o750, fs.ModeDir | 0o755, 0o750, true},
		{0o750, fs.ModeDir | fs.ModeSetgid | 0o755, fs.ModeSetgid | 0o750, true}, // inherited
		{fs.ModeSticky | 0o777, fs.ModeDir | 0o755, fs.ModeSticky | 0o755, true},
	} {
		mode, change := masked(c.perm, c.made)
		require.Equal(t, c.want, mode, "%v over %v", c.perm, c.made)
		require.Equal(t, c.change, change, "%v over %v", c.perm, c.made)
	}
}
