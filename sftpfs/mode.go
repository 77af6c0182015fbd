package sftpfs

import (
	"io/fs"

	"github.com/sftpsyncer/go-syncfs/internal/umask"
)

const special = fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// masked returns the mode to set on a file that was just made with the mode made when perm was wanted, and whether that
// is a change. Bits that the server's umask takes are not set, and bits that a directory inherits stay.
func masked(perm, made fs.FileMode) (mode fs.FileMode, change bool) {
	left := umask.Left(made)
	if left == 0 {
		return 0, false
	}
	mode = perm.Perm()&left | (perm|made)&special
	return mode, mode != made&(fs.ModePerm|special)
}
