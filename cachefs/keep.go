package cachefs

import (
	"context"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/oserr"
)

// State describes where a file is.
type State = mirror.State

// The states of a file.
const (
	Absent     = mirror.Absent     // neither in the local directory nor on the remote
	RemoteOnly = mirror.RemoteOnly // only on the remote; also a remote directory, whether or not it has local copies in it
	Arriving   = mirror.Arriving   // being downloaded
	Owned      = mirror.Owned      // in the local directory, as a copy of the remote's file
	Changed    = mirror.Changed    // a copy that was edited by hand; with package syncfs, anything that is queued
	Local      = mirror.Local      // in the local directory, put there by hand
)

// Status is what the Fs knows about a file.
type Status = mirror.Status

// Stats counts what an Fs has done since New.
type Stats = mirror.Stats

// Status returns what is known about a name. A name that does not exist has State Absent and is no error. Status asks the
// remote where Stat would; the error matches ErrUnavailable if the remote does not answer.
func (c *Fs) Status(name string) (Status, error) {
	s, err := c.m.Status(name)
	return s, oserr.Path("status", name, err)
}

// Stats returns the counts so far. It does not wait for the remote or the disk.
func (c *Fs) Stats() Stats { return c.m.Stats() }

// Pin downloads a file if there is no complete local copy, and protects the copy from eviction until Unpin. Newer versions
// still replace it. A pin survives renames, writes and restarts. It ends when the file is removed or its copy is deleted by
// hand.
func (c *Fs) Pin(ctx context.Context, name string) error {
	return oserr.Path("pin", name, c.m.With(ctx).Pin(name))
}

// Unpin reverts Pin: the copy may be evicted from now on. A file that is not pinned is no error.
func (c *Fs) Unpin(name string) error {
	return oserr.Path("unpin", name, c.m.Unpin(name))
}

// Evict deletes the local copy of a file. A file without a local copy is no error. The error matches ErrBusy if the file is
// open or pinned, and ErrChanged if the local file is not a copy: it was edited, or put there by hand.
func (c *Fs) Evict(name string) error {
	return oserr.Path("evict", name, c.m.Evict(name))
}
