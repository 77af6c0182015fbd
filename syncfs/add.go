package syncfs

import (
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/localstore"
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/oserr"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Add queues a file of the local directory for upload, whether or not it has changed, without asking the remote. The next
// Push replaces the remote's file. If the file is a copy, edited or not, the version of the copy is the base of the change.
//
// The error matches fs.ErrNotExist if the file is not in the local directory, fs.ErrInvalid if it is not a regular file (see
// AddDir for directories), and ErrBusy if it is open for writing.
func (s *Fs) Add(name string) error {
	return s.change("add", name, func(v *mirror.View, clean string) error {
		return add(v, clean)
	})
}

func add(v *mirror.View, clean string) error {
	for _, element := range strings.Split(clean, "/") {
		if err := mirror.Creatable(element); err != nil {
			return err
		}
	}
	info, err := v.Local().Lstat(clean)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%w: is a directory", fs.ErrInvalid)
	case !info.IsRegular():
		return fmt.Errorf("%w: not a regular file", fs.ErrInvalid)
	}
	dirPath, base := tree.Split(clean)
	dir, err := assumed(v, dirPath)
	if err != nil {
		return err
	}
	n := dir.Kid(base)
	if n == nil {
		n = v.Tree().Create(dir, base, tree.File, mirror.LocalMeta(info), tree.Unknown, v.Now())
	} else if n.Content() == tree.Owned && n.Copy().Boot != 0 { // not what a loss of power has left
		if err := v.VerifyBytes(n); err != nil {
			return err
		}
		if n.Content() == tree.Remote {
			return fs.ErrNotExist
		}
	}
	return queue(v, n, info)
}

// assumed returns the node of a local directory. Unknown directories on the way are assumed to exist on the remote.
func assumed(v *mirror.View, name string) (*tree.Node, error) {
	dir := v.Tree().Root()
	if name == "." {
		return dir, nil
	}
	for _, prefix := range prefixes(name) {
		info, err := v.Local().Lstat(prefix)
		if err != nil {
			return nil, err
		}
		_, base := tree.Split(prefix)
		kid := dir.Kid(base)
		switch {
		case kid == nil && !info.IsDir():
			return nil, syscall.ENOTDIR
		case kid == nil:
			kid = v.Materialize(mirror.Place{Dir: dir, Name: base, Local: &info})
		case kid.Kind != tree.Dir:
			return nil, syscall.ENOTDIR
		}
		dir = kid
	}
	return dir, nil
}

// all reports whether a name stands for the whole directory.
func all(name string) bool { return name == "" || name == "." || name == "/" || name == "*" }

// AddDir queues every file below a directory of the local directory, except unchanged copies of the remote's files. "/",
// ".", "*" and "" mean the whole directory. If added is not nil, AddDir calls it with the path of each file that it has
// queued, without a leading slash and in no particular order. added may use the Fs.
//
// AddDir skips symbolic links and files that are open for writing. The latter are queued when they are closed.
func (s *Fs) AddDir(dir string, added func(name string)) error {
	if all(dir) {
		dir = "/"
	}
	clean, err := s.m.Clean(dir)
	if err != nil {
		return oserr.Path("add", dir, err)
	}
	return s.addDir(clean, added)
}

func (s *Fs) addDir(dir string, added func(name string)) error {
	var infos []localdir.Info
	err := s.m.Do(func(v *mirror.View) (err error) {
		infos, err = v.Local().ReadDir(dir)
		return err
	})
	if err != nil {
		return oserr.Path("add", dir, err)
	}
	for _, info := range infos {
		name := tree.Join(dir, info.Name)
		if err := s.m.Context().Err(); err != nil {
			return oserr.Path("add", name, err)
		}
		switch {
		case info.IsDir():
			err = s.addDir(name, added)
		case info.IsRegular():
			err = s.addChanged(name, info, added)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// addChanged queues a file unless it is queued already or an unchanged copy.
func (s *Fs) addChanged(name string, info localdir.Info, added func(name string)) error {
	queued := false
	err := s.m.Do(func(v *mirror.View) error {
		n := v.Tree().Lookup(name)
		switch {
		case n == nil || n.Content() == tree.Interrupted:
			queued = true
		case n.Content() == tree.Changed:
			queued = !localstore.AsQueued(n, info)
		case n.Kind == tree.File && n.Content() == tree.Remote:
			queued = true
		case n.Content() != tree.Busy:
			if err := v.Verify(n); err != nil {
				return err
			}
			queued = v.Tree().Node(n.ID) != n || n.Content() == tree.Edited
		}
		if queued {
			return add(v, name)
		}
		return nil
	})
	if err != nil {
		return oserr.Path("add", name, err)
	}
	if queued && added != nil {
		added(name)
	}
	return nil
}
