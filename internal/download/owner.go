package download

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Source is where the bytes come from.
type Source interface {
	// Open opens the file for reading. ErrSuperseded ends the download without an error for its readers.
	Open() (afero.File, error)
	// Reopen opens the file once more, wherever it is by now.
	Reopen() (afero.File, error)
	// Expect says that so many bytes will be asked for.
	Expect(bytes int64)
}

// Owner is whose file it is. No lock of the download's is held when it is called.
type Owner interface {
	// HasPartial says whether Begin may return a partial file.
	HasPartial() bool
	// Begin is called when the version is known. It returns what is here of it, or nil.
	Begin(version tree.Meta) *Partial
	// Reserve is called before bytes are written: the file is to have so many, counting those of the partial file, which
	// may be nil. The error matches ErrNoRoom if they cannot be kept here; the partial file is deleted then.
	Reserve(here *Partial, size int64) error
	// Install makes a whole copy the local file. It says whether the temporary file is the owner's now.
	Install(Copy) (taken bool, err error)
	// Keep takes note of what is left of a download that was cut off. It says whether it is to be kept.
	Keep(*Partial) bool
	// Dropped is called when nothing of the file is here any more.
	Dropped()
	// Ended is called when the download has an outcome, before anybody hears of that.
	Ended()
}

// Errors that callers find with errors.Is.
var (
	// ErrChanged: the remote's version changed while it was read.
	ErrChanged = errors.New("file changed on the remote")
	// ErrSuperseded: the download is of no use any more, because the local file has other bytes by now, or is gone.
	ErrSuperseded = errors.New("the file was changed")
	// ErrNoRoom: the file cannot be kept here. A bound is reached with files that must stay, or the disk is full.
	ErrNoRoom = errors.New("no room for a local copy")
)

// Room turns a full disk into ErrNoRoom.
func Room(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrNoRoom, err)
	}
	return err
}
