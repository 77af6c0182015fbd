package remote

import (
	"context"
	"errors"
	"io/fs"
	"syscall"

	"github.com/sftpsyncer/go-syncfs/internal/oserr"
)

// ErrUnavailable means that the remote gave no answer. If an error of [Error] matches it, it never matches
// fs.ErrNotExist.
var ErrUnavailable = errors.New("remote is unavailable")

// unavailable is an error that is not an answer of the remote.
type unavailable struct{ cause error }

// Unavailable returns an error that matches ErrUnavailable, with its cause.
func Unavailable(cause error) error { return &unavailable{cause} }

func (e *unavailable) Error() string        { return ErrUnavailable.Error() + ": " + e.cause.Error() }
func (e *unavailable) Unwrap() error        { return e.cause }
func (e *unavailable) Is(target error) bool { return target == ErrUnavailable }

// answers are errors that are definite answers to a request: the request was not executed, and will not be. fs.ErrNotExist
// is another one.
var answers = []error{
	fs.ErrExist, fs.ErrPermission, fs.ErrInvalid, fs.ErrClosed, errors.ErrUnsupported,
	syscall.ENOTDIR, syscall.EISDIR, syscall.ENOTEMPTY, syscall.ENAMETOOLONG, syscall.EILSEQ, syscall.ELOOP, syscall.EINVAL,
	syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG, syscall.EROFS, syscall.EXDEV, syscall.EMLINK, syscall.EBADF,
	syscall.EMFILE, syscall.ENFILE, syscall.EBUSY, syscall.ETXTBSY, syscall.ENXIO, syscall.ENODEV, syscall.EIO,
	context.Canceled, context.DeadlineExceeded,
}

// Absent reports whether an error about a path is the answer that nothing has it: the name is missing, or what is above it is
// no directory. Some servers, as OpenSSH's, say the same in both cases.
func Absent(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) }

// Definite reports whether an error about a path is an answer: there is no such file.
func Definite(err error) bool { return Absent(err) || errors.Is(err, syscall.ELOOP) }

// Error converts an error of the remote: it removes the remote's operation and path, and turns an error that is not an
// answer into ErrUnavailable.
func Error(err error) error {
	if err == nil {
		return nil
	}
	cause := oserr.Cause(err)
	if errors.Is(cause, fs.ErrNotExist) || errors.Is(cause, ErrUnavailable) {
		return cause
	}
	for _, answer := range answers {
		if errors.Is(cause, answer) {
			return cause
		}
	}
	return Unavailable(cause)
}
