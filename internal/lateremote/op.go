package lateremote

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// ErrLost is the error of a call whose answer was lost. It matches no error that would be an answer.
var ErrLost = errors.New("connection lost")

// Kind is the kind of an operation. The kinds of a file begin with a dot.
type Kind string

// The operations that change something. All others are of kind Look.
const (
	Look        Kind = "look"
	Create      Kind = "create" // OpenFile with os.O_CREATE or os.O_TRUNC
	Mkdir       Kind = "mkdir"
	MkdirAll    Kind = "mkdirall"
	MakeDir     Kind = "makedir"
	Stage       Kind = "stage"
	Remove      Kind = "remove"
	RemoveAll   Kind = "removeall"
	Rename      Kind = "rename"
	ReplaceFile Kind = "replacefile"
	Symlink     Kind = "symlink"
	Chmod       Kind = "chmod"
	Chown       Kind = "chown"
	Chtimes     Kind = "chtimes"
	Write       Kind = ".write" // also WriteAt and WriteString
	Truncate    Kind = ".truncate"
	Close       Kind = ".close" // of a file that was opened for writing
)

// Op is one operation.
type Op struct {
	Kind    Kind
	Name    string // as passed; of a File, as passed to Open
	NewName string // of Rename, ReplaceFile and Symlink
	Index   int    // among all operations; 0 for the first
	Change  int    // among those that change something; -1 for Look
}

// String returns a text such as `rename "a" "b"`.
func (op Op) String() string {
	if op.NewName != "" {
		return fmt.Sprintf("%s %q %q", op.Kind, op.Name, op.NewName)
	}
	return fmt.Sprintf("%s %q", op.Kind, op.Name)
}

func (op Op) wrap(err error) error {
	if op.NewName != "" {
		return &os.LinkError{Op: string(op.Kind), Old: op.Name, New: op.NewName, Err: err}
	}
	return &fs.PathError{Op: string(op.Kind), Path: op.Name, Err: err}
}

// Fate is what happens to an operation.
type Fate int

const (
	// Pass means that it is executed and answered.
	Pass Fate = iota
	// Hold means that the call fails with ErrLost. The change is made when the operation is delivered.
	Hold
	// Wait means that the call returns when the operation is delivered or the context ends. In both cases the change is
	// made when the operation is delivered. A Look passes.
	Wait
)
