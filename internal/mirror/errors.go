package mirror

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/sftpsyncer/go-syncfs/internal/download"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// Errors that callers find with errors.Is.
var (
	// ErrBusy: the file is open or being written.
	ErrBusy = errors.New("file is in use")
	// ErrChanged: the remote's version of a file changed while it was being read.
	ErrChanged = download.ErrChanged
)

// errWritten says that there is no copy of a file because it is being written on the remote.
var errWritten = fmt.Errorf("%w: it is open for writing", ErrBusy)

// errGuarded says why a copy is kept after a push.
var errGuarded = fmt.Errorf("%w: the copy is kept until no request that got no answer can be carried out any more", ErrBusy)

// Cause leaves off what names operation and path.
func Cause(err error) error { return localdir.Cause(err) }

// PathError names operation and path of a call, once.
func PathError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: Cause(err)}
}

// LinkError is PathError for calls with two names.
func LinkError(op, oldname, newname string, err error) error {
	if err == nil {
		return nil
	}
	return &os.LinkError{Op: op, Old: oldname, New: newname, Err: Cause(err)}
}
