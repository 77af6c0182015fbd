package localdir

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

var (
	// ErrLocked is the error if another Dir holds the directory. Its text names the holder.
	ErrLocked = errors.New("local directory is in use")

	// ErrEscapes is the error for a symbolic link that leads out of a real directory. It matches fs.ErrPermission.
	ErrEscapes = fmt.Errorf("%w: a link leads out of the directory", fs.ErrPermission)

	// errNotRegular is the error for a named pipe, a socket or a device.
	errNotRegular = fmt.Errorf("%w: not a regular file", fs.ErrInvalid)
)

// Missing reports whether an error means that a name does not exist, also because a file is in the place of a
// directory.
func Missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}
