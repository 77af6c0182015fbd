package localdir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/spf13/afero/mem"
)

var (
	// ErrLocked says that another Dir holds the directory; the error's text names the holder.
	ErrLocked = errors.New("local directory is in use")

	// ErrEscapes says that a link leads out of a real directory. It matches fs.ErrPermission.
	ErrEscapes = fmt.Errorf("%w: a link leads out of the directory", fs.ErrPermission)

	// errNotRegular is for what is neither a regular file nor a directory: a pipe, a socket, a device.
	errNotRegular = fmt.Errorf("%w: not a regular file", fs.ErrInvalid)
)

// pathError is err as an error of op on name; nil for nil.
func pathError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: Cause(err)}
}

// Cause takes off what layers below said about operation and path, in words of their own, and puts the sentinels of
// package fs in the place of those that don't match them.
func Cause(err error) error {
	for {
		switch e := err.(type) { //nolint:errorlint // one layer after the other
		case *fs.PathError:
			err = e.Err
		case *os.LinkError:
			err = e.Err
		case *os.SyscallError:
			err = e.Err
		default:
			switch err {
			case mem.ErrFileClosed:
				return fs.ErrClosed
			case mem.ErrOutOfRange:
				return fs.ErrInvalid
			}
			return err
		}
	}
}

// Missing says whether an error means that a name is not there. A file where a directory should be has nothing in it.
func Missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}
