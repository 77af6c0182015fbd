// Package oserr makes errors like those of package os: each contains its operation and path once.
package oserr

import (
	"io/fs"
	"os"

	"github.com/spf13/afero/mem"
)

// Path returns err as an *fs.PathError of an operation on a name; nil for nil.
func Path(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: Cause(err)}
}

// Link returns err as an *os.LinkError of an operation on two names; nil for nil.
func Link(op, oldname, newname string, err error) error {
	if err == nil {
		return nil
	}
	return &os.LinkError{Op: op, Old: oldname, New: newname, Err: Cause(err)}
}

// Cause removes the operations and paths that lower layers have added, and replaces errors of afero that match no
// sentinel of package fs by the proper one.
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
