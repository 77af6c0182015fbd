package mirror

import (
	"fmt"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// State describes where a file is.
type State uint8

// The states.
const (
	Absent     State = iota // neither in the local directory nor on the remote
	RemoteOnly              // only on the remote; also a remote directory, whether or not it has local copies in it
	Arriving                // being downloaded
	Owned                   // in the local directory, as a copy of the remote's file
	Changed                 // changed through the Fs, edited by hand, or given to Add
	Local                   // in the local directory, put there by hand
)

func (s State) String() string {
	names := [...]string{"absent", "remote only", "arriving", "owned", "changed", "local"}
	if int(s) < len(names) {
		return names[s]
	}
	return fmt.Sprintf("state %d", uint8(s))
}

// Status is what is known about a file.
type Status struct {
	State State
	// Size (in bytes) and ModTime of the remote's version; if State is Changed or Local, of the local file.
	Size    int64
	ModTime time.Time
	// Arrived is how many bytes, from the start, have arrived of a file that is Arriving or whose download was stopped.
	Arrived int64
	// Fetched is when the copy was complete, by a download or a push. Checked is when the remote was asked last. Zero:
	// never.
	Fetched, Checked time.Time
	// Stale: the remote is known to have another version than the copy.
	Stale bool
	// Pinned: the copy is not evicted.
	Pinned bool
}

// Status returns what is known about a name. It asks the remote where Stat would.
func (m *FS) Status(name string) (s Status, err error) {
	clean, err := m.Clean(name)
	if err != nil {
		return s, err
	}
	err = m.Do(func(v *View) error {
		p, err := v.Find(clean, true)
		if localdir.Missing(err) {
			return nil
		}
		if err != nil {
			return err
		}
		exists, err := p.Exists()
		if err != nil || !exists {
			return err
		}
		meta, err := v.Meta(p)
		if err == nil {
			s = v.status(p, meta)
		}
		return err
	})
	return s, err
}

func (v *View) status(p Place, meta tree.Meta) Status {
	s := Status{State: RemoteOnly, Size: meta.Size, ModTime: time.Unix(0, meta.MTime)}
	n := p.Node
	switch {
	case p.Local != nil:
		s.State = Local
		return s
	case n == nil:
		return s
	case n.Ours() || n.Kind != tree.File && n.Differs():
		s.State = Changed
	case n.Content() == tree.Owned:
		s.State, s.Fetched, s.Stale = Owned, when(n.Copy().Fetched), n.Copy().Stale
	}
	s.Checked, s.Pinned = when(n.Checked), pinned(n)
	bytes, arriving := v.copies.Arrived(n)
	if s.Arrived = bytes; arriving {
		s.State = Arriving
	}
	return s
}

// when converts a recorded time; 0 becomes the zero time.
func when(nanoseconds int64) time.Time {
	if nanoseconds == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanoseconds)
}
