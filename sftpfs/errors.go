package sftpfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/pkg/sftp"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/invalid"
	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

// Errors between this side and the server, to be found with errors.Is. Their messages name host and port, and contain
// no secret.
var (
	// ErrUnavailable: the server cannot be reached, the connection was lost, or an answer did not come in time.
	ErrUnavailable = errors.New("sftpfs: server unavailable")
	// ErrHostKey: the server's host key is unknown, revoked, or not the recorded one.
	ErrHostKey = errors.New("sftpfs: host key not accepted")
	// ErrAuth: the server refused the credentials, or there were none to offer.
	ErrAuth = errors.New("sftpfs: authentication failed")
)

// A failure is a refusal by the server without a known reason.
type failure struct{ status *sftp.StatusError }

func (f *failure) Error() string { return fmt.Sprintf("%v: %v", syscall.EIO, f.status) }

func (f *failure) Unwrap() []error { return []error{syscall.EIO, f.status} }

// refused reports whether err is a bare failure, whose reason is worth looking for.
func refused(err error) bool {
	var f *failure
	return errors.As(err, &f)
}

func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// Codes of the SFTP status reply. Version 3 of the protocol has codes up to 8; some servers send others, too.
var statusErrors = map[uint32]error{
	8:  errors.ErrUnsupported,
	9:  syscall.EBADF,
	10: syscall.ENOENT,
	11: syscall.EEXIST,
	12: syscall.EROFS,
	14: syscall.ENOSPC,
	15: syscall.EDQUOT,
	18: syscall.ENOTEMPTY,
	19: syscall.ENOTDIR,
	20: invalid.Argument,
	21: syscall.ELOOP,
	24: syscall.EISDIR,
}

// reduce turns an error of pkg/sftp into the bare error that package os would put into its PathError: an errno, a
// sentinel, a failure, or an error that matches ErrUnavailable. An error that is not an answer of the server becomes
// the latter, and ends the session.
func (s *session) reduce(err error) error {
	var status *sftp.StatusError
	var bad wire.BadAnswer
	switch {
	case err == nil, err == io.EOF, errors.As(err, &bad): // a wrapped io.EOF means that a packet could not be sent
		return err
	case errors.Is(err, fs.ErrNotExist):
		return syscall.ENOENT
	case errors.Is(err, fs.ErrPermission):
		return syscall.EACCES
	case errors.Is(err, fs.ErrClosed):
		return fs.ErrClosed
	case errors.As(err, &status) && status.Code != 6 && status.Code != 7: // 6: no connection, 7: connection lost
		if s.wire != nil {
			if local := s.wire.LocalError(status.Code); local != nil {
				return local
			}
		}
		if known := statusErrors[status.Code]; known != nil {
			return known
		}
		return &failure{status}
	default:
		return s.unavailable(err)
	}
}

// pathError returns err as package os would: nil, io.EOF, or a *fs.PathError.
func pathError(op, name string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

func linkError(op, oldname, newname string, err error) error {
	if err == nil {
		return nil
	}
	return &os.LinkError{Op: op, Old: oldname, New: newname, Err: err}
}
