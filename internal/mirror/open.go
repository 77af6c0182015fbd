package mirror

import (
	"errors"
	"os"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// OpenRead opens what is under a name for reading: a file of this side, else a copy of the remote's, fetched if it is
// not here. A file for which there is no room is read on the remote.
func (m *FS) OpenRead(name string) (afero.File, error) {
	clean, err := m.Clean(name)
	if err != nil {
		return nil, err
	}
	var f afero.File
	var through string
	var around detours
	err = m.Do(func(v *View) error {
		v.Exactly()
		p, err := v.Find(clean, true)
		if err == nil {
			err = p.Err()
		}
		if err != nil {
			return err
		}
		if p.Kind() == tree.Dir {
			n, err := v.Enter(p)
			if err == nil {
				f = v.OpenDir(n, name)
			}
			return err
		}
		if p.Local != nil {
			f, err = some(v.OpenLocal(p, name, os.O_RDONLY, nil))
			return err
		}
		n := v.Materialize(p)
		if err := v.Present(n); err != nil {
			through, around = n.RemotePath(), v.detours()
			return err
		}
		f, err = some(v.OpenNode(n, name, os.O_RDONLY))
		return err
	})
	if errors.Is(err, errNoRoom) || errors.Is(err, errWritten) {
		through, _, err := around.open(m, through)
		if err != nil {
			return nil, err
		}
		return NewRemoteFile(through, name, nil), nil
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// some keeps a nil *File from becoming an afero.File that is not nil.
func some(f *File, err error) (afero.File, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Present returns nil if the bytes of a node that was found are here and are what the view shows; else it has them
// fetched. The error says why they cannot be had.
func (v *View) Present(n *tree.Node) error {
	if v.writing[n.RemotePath()] > 0 {
		return errWritten
	}
	return v.Fetch(n)
}
