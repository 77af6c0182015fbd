package remote

import (
	"errors"
	"fmt"
	"io/fs"
)

// Special returns the error of opening a named pipe, a socket or a device on the remote: there is nothing to copy, and
// a server that opens one may block forever. It matches errors.ErrUnsupported. For any other mode, Special returns nil.
func Special(mode fs.FileMode) error {
	kind := "file of its own kind"
	switch {
	case mode.Type()&^(fs.ModeDir|fs.ModeSymlink) == 0:
		return nil
	case mode&fs.ModeNamedPipe != 0:
		kind = "named pipe"
	case mode&fs.ModeSocket != 0:
		kind = "socket"
	case mode&fs.ModeDevice != 0:
		kind = "device"
	}
	return fmt.Errorf("%w: it is a %s", errors.ErrUnsupported, kind)
}
