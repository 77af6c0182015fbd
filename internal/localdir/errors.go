package localdir

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

var (
	// ErrLocked says that another Dir holds the directory; the error's text names the holder.
	ErrLocked = errors.New("local directory is in use")

	// ErrEscapes says that a link leads out of a real directory. It matches fs.ErrPermission.
	ErrEscapes = fmt.Errorf("%w: a link leads out of the directory", fs.ErrPermission)

	// errNotRegular is for what is neither a regular file nor a directory: a pipe, a socket, a device.
	errNotRegular = fmt.Errorf("%w: not a regular file", fs.ErrInvalid)
)

// Missing says whether an error means that a name is not there. A file where a directory should be has nothing in it.
func Missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}
