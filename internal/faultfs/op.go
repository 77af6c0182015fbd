package faultfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Kind is the kind of an operation.
type Kind string

// The operations of an Fs.
const (
	Open      Kind = "open" // Open, OpenFile and Create; see Op.Flag
	Mkdir     Kind = "mkdir"
	MkdirAll  Kind = "mkdirall"
	Remove    Kind = "remove"
	RemoveAll Kind = "removeall"
	Rename    Kind = "rename"
	Stat      Kind = "stat"
	Lstat     Kind = "lstat"
	Chmod     Kind = "chmod"
	Chown     Kind = "chown"
	Chtimes   Kind = "chtimes"
	Symlink   Kind = "symlink"
	Readlink  Kind = "readlink"
)

// The operations of a File.
const (
	Read     Kind = "read"
	ReadAt   Kind = "readat"
	Write    Kind = "write" // also WriteString
	WriteAt  Kind = "writeat"
	Seek     Kind = "seek"
	Truncate Kind = "truncate"
	Sync     Kind = "sync"
	Fstat    Kind = "fstat"
	Readdir  Kind = "readdir" // also Readdirnames
	Close    Kind = "close"
)

// Op is one operation.
type Op struct {
	Kind    Kind
	Name    string // as passed; of a File, as passed to Open
	NewName string // of Rename and Symlink
	Flag    int    // of Open
	Index   int    // 0 for the first operation of the Plan
}

// String returns a text such as `17 rename "a" "b"`.
func (op Op) String() string {
	switch op.Kind {
	case Rename, Symlink:
		return fmt.Sprintf("%d %s %q %q", op.Index, op.Kind, op.Name, op.NewName)
	default:
		return fmt.Sprintf("%d %s %q", op.Index, op.Kind, op.Name)
	}
}

// wrap makes err an error as an Fs returns it: an *fs.PathError or an *os.LinkError, or a bare io.EOF.
func (op Op) wrap(err error) error {
	var pe *fs.PathError
	var le *os.LinkError
	if err == io.EOF || errors.As(err, &pe) || errors.As(err, &le) {
		return err
	}
	switch op.Kind {
	case Rename, Symlink:
		return &os.LinkError{Op: string(op.Kind), Old: op.Name, New: op.NewName, Err: err}
	default:
		return &fs.PathError{Op: string(op.Kind), Path: op.Name, Err: err}
	}
}
