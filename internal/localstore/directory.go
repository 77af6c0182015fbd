package localstore

import (
	"errors"
	"io/fs"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

const directoryName = localdir.StateDir + "/directory.json"

// Directory is what is recorded about the local directory apart from the log: that it has been used, so that a log that is
// missing or was cut is noticed, and for which remote.
type Directory struct {
	Remote string `json:",omitempty"` // the identity of the remote; "": none is known
	// Seq is a transaction that the log is known to hold, for good. The log may hold later ones.
	Seq uint64
	// Boot identifies the machine's boot in which the directory was last used; "": it was not known. Boots numbers it.
	Boot  string `json:",omitempty"`
	Boots uint32 `json:",omitempty"`
	// Lost: records were lost once. What looks like a file of the user's may be a copy of the remote's.
	Lost bool `json:",omitempty"`
}

// ReadDirectory reads what is recorded. It returns nil if nothing is, because the directory is new.
func ReadDirectory(local *localdir.Dir) (*Directory, error) {
	d := &Directory{}
	err := local.ReadJSON(directoryName, d)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return d, err
}

// note makes d durable, unless it is recorded already. The part of the log that d mentions must have been synced.
func (s *Store) note(d Directory) error {
	if s.recorded != nil && *s.recorded == d {
		return nil
	}
	err := s.local.WriteJSON(directoryName+".new", d)
	if err == nil {
		err = s.local.Rename(directoryName+".new", directoryName)
	}
	if err == nil {
		err = s.local.SyncDir(localdir.StateDir)
	}
	if err == nil {
		s.recorded = &d
	}
	return err
}

// lostRecords reports whether the log has fewer transactions than it is known to have had.
func (s *Store) lostRecords() bool {
	return s.recorded != nil && (s.log.Started() || s.tree.Seq() < s.recorded.Seq)
}
