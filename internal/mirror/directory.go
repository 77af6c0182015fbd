package mirror

import (
	"errors"
	"fmt"
	"io/fs"
	"unicode/utf8"

	"github.com/spf13/afero"

	contract "github.com/sftpsyncer/go-syncfs/cachefs/remote"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

const directoryName = localdir.StateDir + "/directory.json"

// directory is what is recorded about the local directory apart from the log: that it has been used, so that a log that is
// missing or was cut is noticed, and for which remote.
type directory struct {
	Remote string `json:",omitempty"` // its identity; "": none is known
	// Seq is a transaction that the log is known to hold, for good. The log may hold later ones.
	Seq uint64
	// Lost: records were lost once. What looks like a file of the user's may be a copy of the remote's.
	Lost bool `json:",omitempty"`
}

// readDirectory returns nil if nothing is recorded: the directory is new.
func readDirectory(local *localdir.Dir) (*directory, error) {
	d := &directory{}
	err := local.ReadJSON(directoryName, d)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return d, err
}

// noteDirectory records d for good, if it is news. What it says about the log has been synced.
func (m *FS) noteDirectory(d directory) error {
	if m.directory != nil && *m.directory == d {
		return nil
	}
	err := m.local.WriteJSON(directoryName+".new", d)
	if err == nil {
		err = m.local.Rename(directoryName+".new", directoryName)
	}
	if err == nil {
		err = m.local.SyncDir(localdir.StateDir)
	}
	if err == nil {
		m.directory = &d
	}
	return err
}

// lostRecords says whether the log holds less than it is known to have held.
func (m *FS) lostRecords() bool {
	return m.directory != nil && (m.log.Started() || m.tree.Seq() < m.directory.Seq)
}

// ErrRemoteChanged means that the local directory was used for another remote.
var ErrRemoteChanged = errors.New("the local directory belongs to another remote")

// RemoteChangedError says which remote the local directory was used for, and which was given. It matches ErrRemoteChanged.
type RemoteChangedError struct{ Recorded, Given string }

func (e *RemoteChangedError) Error() string {
	return fmt.Sprintf("%v: it was used for %s, and is given %s", ErrRemoteChanged, e.Recorded, e.Given)
}

// Is matches ErrRemoteChanged.
func (e *RemoteChangedError) Is(target error) bool { return target == ErrRemoteChanged }

// maxIdentity is the longest identity in bytes that is recorded.
const maxIdentity = 64 << 10

// identify compares the remote with the recorded one, and returns what is to be recorded.
func (d *directory) identify(base afero.Fs, adopt bool) (identity string, changed bool, err error) {
	if d != nil {
		identity = d.Remote
	}
	given := ""
	if i, ok := base.(contract.Identifier); ok {
		given = i.Identity()
	}
	if len(given) > maxIdentity || !utf8.ValidString(given) { // it would be read back as another one
		return identity, false, fmt.Errorf("%w: the identity of the remote is no text, or has more than %d bytes", fs.ErrInvalid,
			maxIdentity)
	}
	if given == "" || given == identity {
		return identity, false, nil
	}
	if changed = identity != ""; changed && !adopt {
		return identity, changed, &RemoteChangedError{Recorded: identity, Given: given}
	}
	return given, changed, nil
}
