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

// errWritten says that there is no copy of a file because it is being written on the remote.
var errWritten = fmt.Errorf("%w: it is open for writing", ErrBusy)

// errGuarded says why a copy is kept after a push.
var errGuarded = fmt.Errorf("%w: the copy is kept until no request that got no answer can be carried out any more", ErrBusy)
