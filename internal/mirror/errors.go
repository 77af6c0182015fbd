package mirror

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// Errors that callers find with errors.Is.
var (
	// ErrUnavailable: the remote gave no answer. Never also fs.ErrNotExist.
	ErrUnavailable = errors.New("remote is unavailable")
	// ErrBusy: the file is open or being written.
	ErrBusy = errors.New("file is in use")
	// ErrChanged: the remote's version of a file changed while it was being read.
	ErrChanged = errors.New("file changed on the remote")
)

// errNoRoom says that a file cannot be kept here: MaxBytes is reached with files that must stay, or the disk is full.
var errNoRoom = errors.New("no room for a local copy")

// errWritten says that there is no copy of a file because it is being written on the remote.
var errWritten = fmt.Errorf("%w: it is open for writing", ErrBusy)

// errGuarded says why a copy is kept after a push.
var errGuarded = fmt.Errorf("%w: the copy is kept until no request that got no answer can be carried out any more", ErrBusy)

// unavailable is an error of the remote that is no answer.
type unavailable struct{ cause error }

func (e *unavailable) Error() string        { return ErrUnavailable.Error() + ": " + e.cause.Error() }
func (e *unavailable) Unwrap() error        { return e.cause }
func (e *unavailable) Is(target error) bool { return target == ErrUnavailable }

// answers are errors by which a remote says something definite about a request. fs.ErrNotExist is one more.
var answers = []error{
	fs.ErrExist, fs.ErrPermission, fs.ErrInvalid, fs.ErrClosed,
	syscall.ENOTDIR, syscall.EISDIR, syscall.ENOTEMPTY, syscall.ENAMETOOLONG, syscall.ELOOP, syscall.EINVAL,
	syscall.ENOSPC, syscall.EROFS, syscall.EXDEV, syscall.EBADF, syscall.EBUSY, syscall.EFBIG, syscall.EIO,
	context.Canceled, context.DeadlineExceeded,
}

// Definite says whether an error about a path is an answer: there is no such file.
func Definite(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ELOOP)
}

// Remote makes an error of the remote one of ours: operation and path of the remote are left off, and what is not an
// answer becomes ErrUnavailable.
func Remote(err error) error {
	if err == nil {
		return nil
	}
	cause := Cause(err)
	if errors.Is(cause, fs.ErrNotExist) || errors.Is(cause, ErrUnavailable) {
		return cause
	}
	for _, answer := range answers {
		if errors.Is(cause, answer) {
			return cause
		}
	}
	return &unavailable{cause}
}

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
