package sftpfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

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

// A refusal is an answer of the server that says more than an errno or a sentinel.
type refusal struct {
	err      error  // as package os has it
	noReason bool   // the server gives no reason, and err is syscall.EIO
	name     string // of the code
	message  string // of the server, printable
}

func (r *refusal) Error() string { return fmt.Sprintf("%v: %s", r.err, r.words()) }

func (r *refusal) words() string { return fmt.Sprintf("sftp: \"%s\" (%s)", r.message, r.name) }

func (r *refusal) Unwrap() error { return r.err }

// refused reports whether err is a refusal without a reason, which is worth looking for.
func refused(err error) bool {
	var r *refusal
	return errors.As(err, &r) && r.noReason
}

// declined reports whether err is a refusal that another request for the same may not meet.
func declined(err error) bool { return refused(err) || forbidden(err) }

// forbidden reports whether the server refuses a request for lack of permission, or does not support it.
func forbidden(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, errors.ErrUnsupported)
}

func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// reduce turns an error of pkg/sftp into the bare error that package os would put into its PathError: an errno, a
// sentinel, a refusal, or an error that matches ErrUnavailable. An error that is not an answer of the server becomes the
// latter, and ends the session.
func (s *session) reduce(err error) error {
	switch {
	case err == nil, err == io.EOF, errors.As(err, new(wire.BadAnswer)): // a wrapped io.EOF means that a packet could not be sent
		return err
	case errors.Is(err, fs.ErrClosed):
		return fs.ErrClosed
	}
	status, ok := wire.StatusOf(err)
	if !ok {
		return s.unavailable(err)
	}
	if s.wire != nil {
		if local := s.wire.LocalError(status.Code); local != nil {
			return local
		}
	}
	err = answer(status)
	var r *refusal
	if errors.As(err, &r) && r.err == ErrUnavailable {
		return s.unavailable(errors.New(r.words()))
	}
	return err
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
