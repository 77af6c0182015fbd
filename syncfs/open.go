package syncfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/oserr"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Open opens a file or directory for reading. A file without a local copy is downloaded (see package cachefs).
func (s *Fs) Open(name string) (afero.File, error) { return s.OpenFile(name, os.O_RDONLY, 0) }

// Create creates or truncates a file.
func (s *Fs) Create(name string) (afero.File, error) {
	return s.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

// OpenFile opens a file. A file that is opened for writing without O_TRUNC is downloaded first. A file that is opened with
// O_TRUNC keeps the version of its copy, if there is one, as the base of the change.
//
// A written file is queued when it is closed or synced. While the remote is unreachable, a file that is unknown locally can
// only be created with O_CREATE|O_TRUNC: without O_TRUNC, existing content would have to be kept.
func (s *Fs) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	if flag&(os.O_WRONLY|os.O_RDWR|os.O_CREATE|os.O_TRUNC) == 0 {
		f, err := s.m.OpenRead(name)
		if err != nil {
			return nil, oserr.Path("open", name, err)
		}
		return f, nil
	}
	f, err := s.openWrite(name, flag, perm)
	if err != nil {
		return nil, oserr.Path("open", name, err)
	}
	return f, nil
}

func (s *Fs) openWrite(name string, flag int, perm fs.FileMode) (f *mirror.File, err error) {
	clean, err := s.m.Clean(name)
	if err != nil {
		return nil, err
	}
	const exclusive = os.O_CREATE | os.O_EXCL
	var open func(v *mirror.View) error
	open = func(v *mirror.View) error {
		p, err := v.Find(clean, flag&exclusive != exclusive)
		if err != nil {
			return err
		}
		exists, err := p.Exists()
		switch {
		case err != nil && flag&(os.O_CREATE|os.O_TRUNC|os.O_EXCL) != os.O_CREATE|os.O_TRUNC:
			return err
		case err == nil && !exists && flag&os.O_CREATE == 0:
			return fs.ErrNotExist
		case err != nil || !exists:
			if err := mirror.Creatable(p.Name); err != nil {
				return err
			}
			f, err = v.NewFile(p, name, flag, perm)
			return err
		case p.Node != nil && flag&os.O_CREATE != 0 && v.Lost(p.Node):
			f, err = v.Emptied(p.Node, name, flag)
			return err
		case flag&exclusive == exclusive:
			return fs.ErrExist
		case p.Kind() == tree.Dir:
			return syscall.EISDIR
		case p.Local != nil:
			f, err = s.openUsers(v, p, name, flag)
			return err
		}
		f, err = openNode(v, v.Materialize(p), name, flag)
		if err == errNoFile {
			return open(v)
		}
		return err
	}
	if err = s.m.Do(open); err == nil {
		err = f.Empty()
	}
	return f, err
}

// errNoFile: the remote has nothing, or something of another kind, in the place of a file.
var errNoFile = errors.New("no file any more")

// openUsers opens a user's file. It becomes a change when it is written.
func (s *Fs) openUsers(v *mirror.View, p mirror.Place, name string, flag int) (*mirror.File, error) {
	if flag&os.O_TRUNC == 0 {
		return v.OpenLocal(p, name, flag, s.adopt)
	}
	n, err := adoptFile(v, p)
	if err != nil {
		return nil, err
	}
	return v.Emptied(n, name, flag)
}

// adopt makes a node of a user's file that is about to be written.
func (s *Fs) adopt(name string) (n *tree.Node, err error) {
	err = s.m.Do(func(v *mirror.View) error {
		p, err := v.Find(name, false)
		switch {
		case err != nil:
			return err
		case p.Node != nil:
			n = p.Node // another handle was first
			return nil
		case p.Local == nil:
			return fs.ErrNotExist // removed while open: what is written now is lost
		}
		n, err = adoptFile(v, p)
		return err
	})
	return n, err
}

// openNode opens a file that has a node. Before the first change it asks the remote for the version: a change that is
// not made to a copy, or that keeps the content, is based on the remote's present version.
func openNode(v *mirror.View, n *tree.Node, name string, flag int) (*mirror.File, error) {
	verify := v.VerifyBytes
	if flag&os.O_TRUNC != 0 {
		verify = v.Verify
	}
	if err := verify(n); err != nil {
		return nil, err
	}
	if n.HasBase() && !n.Differs() && n.Content() != tree.Edited {
		a, err := v.Ask(n.RemotePath())
		if err != nil {
			return nil, err
		}
		if err := based(v, n, a, flag); err != nil {
			return nil, err
		}
	}
	if err := remote.Special(n.Meta.Mode); err != nil {
		return nil, err
	}
	if flag&os.O_TRUNC != 0 {
		return v.Emptied(n, name, flag)
	}
	if err := v.Present(n); err != nil {
		return nil, err
	}
	return v.OpenNode(n, name, flag)
}

// based records the remote's answer about a file that is about to be changed. If the remote is unreachable, a local
// copy is changed as it was recorded.
func based(v *mirror.View, n *tree.Node, a remote.Answer, flag int) error {
	switch {
	case a.Known == tree.Unknown && n.Content() == tree.Owned:
		return nil
	case a.Known == tree.Unknown && flag&os.O_TRUNC == 0:
		return a.Err
	case a.Known == tree.Unknown:
		return nil
	case a.Known == tree.Absent && n.Content() == tree.Owned && (!n.Copy().Stale || flag&os.O_TRUNC != 0):
		// The program sees the file. It is made again.
		v.Orphan(n)
		return nil
	case a.Known == tree.Absent:
		if v.Learn(n, a); v.Tree().Node(n.ID) == n { // it is kept for another reason
			return fs.ErrNotExist
		}
		return errNoFile
	case a.Kind == tree.Dir:
		return syscall.EISDIR
	}
	if n.Content() == tree.Owned && flag&os.O_TRUNC != 0 {
		return nil
	}
	v.Learn(n, a)
	switch {
	case a.Kind == n.Kind:
		return nil
	case v.Tree().Node(n.ID) == n:
		return fmt.Errorf("%w: the local copy of what was there can't be deleted", fs.ErrPermission)
	}
	return errNoFile
}
