package download

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Source opens the remote's file.
type Source interface {
	// Open opens the file for reading. ErrSuperseded ends the download without an error for its readers.
	Open() (afero.File, error)
	// Reopen opens the file once more, under the path that it has now.
	Reopen() (afero.File, error)
	// Expect announces that so many bytes will be requested.
	Expect(bytes int64)
}

// Owner owns the local file. No lock of the download is held when its methods are called.
type Owner interface {
	// HasPartial reports whether Begin may return a partial file.
	HasPartial() bool
	// Begin is called when the version is known. It returns the partial file of that version, or nil.
	Begin(version tree.Meta) *Partial
	// Reserve is called before bytes are written. It reserves size bytes, which include those of the partial file; here
	// may be nil. If they can't be kept, Reserve deletes the partial file, and the error matches ErrNoRoom.
	Reserve(here *Partial, size int64) error
	// Install makes a complete copy the local file. It reports whether the temporary file is now the owner's.
	Install(Copy) (taken bool, err error)
	// Keep records the partial file of a download that was cut off. It reports whether the file is kept.
	Keep(*Partial) bool
	// Dropped is called when all bytes of the download are deleted.
	Dropped()
	// Ended is called when the download has its outcome, before that becomes visible.
	Ended()
}

// Errors to be found with errors.Is.
var (
	// ErrChanged: the remote's version changed while it was read, or the local bytes are no longer the copy.
	ErrChanged = errors.New("the file has changed")
	// ErrSuperseded: the download is not needed any more, because the local file has other bytes or is gone.
	ErrSuperseded = errors.New("the file was changed")
	// ErrNoRoom: the file can't be kept locally. Files that must stay use up the bound, or the disk is full.
	ErrNoRoom = errors.New("no room for a local copy")
)

// Room turns the errors of a full disk (syscall.ENOSPC, syscall.EDQUOT) into ErrNoRoom.
func Room(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrNoRoom, err)
	}
	return err
}
