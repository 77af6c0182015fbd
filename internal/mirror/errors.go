package mirror

import (
	"errors"
	"fmt"

	"github.com/sftpsyncer/go-syncfs/internal/download"
)

// Errors that callers find with errors.Is.
var (
	// ErrBusy: the file is open or being written.
	ErrBusy = errors.New("file is in use")
	// ErrChanged: the remote's version of a file changed while it was being read.
	ErrChanged = download.ErrChanged
)

// errWritten: a file has no copy because the program is writing it on the remote.
var errWritten = fmt.Errorf("%w: it is open for writing", ErrBusy)

// errGuarded: a copy is kept because a request in doubt may still destroy the remote's content.
var errGuarded = fmt.Errorf("%w: the copy is kept until no request that got no answer can be carried out any more", ErrBusy)
