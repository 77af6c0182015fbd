package cachefs

import (
	"context"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/oserr"
)

// State says where a file is: Absent, RemoteOnly, Arriving, Owned, Changed or Local.
type State = mirror.State

// The states of a file.
const (
	Absent     = mirror.Absent     // neither here nor on the remote
	RemoteOnly = mirror.RemoteOnly // on the remote; a directory of the remote's, whatever of it is here
	Arriving   = mirror.Arriving   // being fetched
	Owned      = mirror.Owned      // here, as a copy of the remote's
	Changed    = mirror.Changed    // here, and edited; with package syncfs, anything that has to be pushed
	Local      = mirror.Local      // in the local directory, where it was put by other means
)

// Status is what is known of a file.
type Status = mirror.Status

// Stats counts what an Fs has done since it was made.
type Stats = mirror.Stats

// Status looks up what is known of a name. That it is not there is State Absent, and no error. The remote is asked where
// Stat asks it; the error matches ErrUnavailable if it gives no answer.
func (c *Fs) Status(name string) (Status, error) {
	s, err := c.m.Status(name)
	return s, oserr.Path("status", name, err)
}

// Stats are the counts so far. It does not wait for anything.
func (c *Fs) Stats() Stats { return c.m.Stats() }

// Pin makes sure that a whole copy of a file is here, and keeps it: it is replaced by later versions, but not evicted,
// neither for want of room nor by Evict, until Unpin. That lasts when the file is renamed or written, and for later Fs
// on the same local directory. It ends when the file is removed, or its copy deleted by hand. A file that was put into
// the local directory by other means stays in any case.
func (c *Fs) Pin(ctx context.Context, name string) error {
	return oserr.Path("pin", name, c.m.With(ctx).Pin(name))
}

// Unpin takes a Pin back. The file may be evicted from then on. One that is not pinned is no error.
func (c *Fs) Unpin(name string) error {
	return oserr.Path("unpin", name, c.m.Unpin(name))
}

// Evict deletes the local copy of a file. One that is not here is no error. The error matches ErrBusy if it is open or
// pinned, ErrChanged if what is here is no copy: an edit, or a file that was put there by other means.
func (c *Fs) Evict(name string) error {
	return oserr.Path("evict", name, c.m.Evict(name))
}
