package aferotest

import (
	"errors"
	"io"
	"io/fs"
	"syscall"
)

// class is what a program can tell about an error without reading its text.
type class string

const (
	none       class = "nil"
	eof        class = "end of file"
	notExist   class = "not exist"
	exist      class = "exist"
	notEmpty   class = "not empty"
	permission class = "permission"
	closed     class = "closed"
	invalid    class = "invalid"
	isDir      class = "is a directory"
	notDir     class = "not a directory"
	badHandle  class = "bad descriptor"
	loop       class = "too many links"
	other      class = "other"
)

// classes is in the order of precedence: ENOTEMPTY also matches fs.ErrExist.
var classes = []struct {
	err error
	class
}{
	{io.EOF, eof},
	{syscall.ENOTEMPTY, notEmpty},
	{fs.ErrNotExist, notExist},
	{fs.ErrExist, exist},
	{fs.ErrPermission, permission},
	{fs.ErrClosed, closed},
	{fs.ErrInvalid, invalid},
	{syscall.EINVAL, invalid},
	{syscall.EISDIR, isDir},
	{syscall.ENOTDIR, notDir},
	{syscall.EBADF, badHandle},
	{syscall.ELOOP, loop},
}

func classOf(err error) class {
	if err == nil {
		return none
	}
	for _, c := range classes {
		if errors.Is(err, c.err) {
			return c.class
		}
	}
	return other
}

// sentinel reports whether package os has a sentinel for the class, with which a program tells one answer from another.
// The other classes depend on the platform, and on which of two reasons for a failure was found first.
func (c class) sentinel() bool {
	switch c {
	case none, eof, notExist, exist, permission, closed:
		return true
	default:
		return false
	}
}

// instead reports whether a subject may answer got where package os answers want: the same, or, if want has no
// sentinel, any error that does not mean something else.
func instead(got, want class) bool {
	if got == want {
		return true
	}
	return !want.sentinel() && (!got.sentinel() || got == exist || got == permission)
}
