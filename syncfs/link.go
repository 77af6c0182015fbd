package syncfs

import (
	"io/fs"
	"syscall"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/oserr"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Stat describes a file or directory, and follows symbolic links. A file with local content is described without asking the
// remote, unless revalidation is due (see Options.Cache.Revalidate).
func (s *Fs) Stat(name string) (fs.FileInfo, error) {
	fi, err := s.m.Stat(name, true)
	if err != nil {
		return nil, oserr.Path("stat", name, err)
	}
	return fi, nil
}

// LstatIfPossible is Stat, but does not follow a symbolic link in the last element. It is always possible.
func (s *Fs) LstatIfPossible(name string) (fs.FileInfo, bool, error) {
	fi, err := s.m.Stat(name, false)
	if err != nil {
		return nil, true, oserr.Path("lstat", name, err)
	}
	return fi, true, nil
}

// ReadlinkIfPossible returns the target of a symbolic link, as it was made.
func (s *Fs) ReadlinkIfPossible(name string) (string, error) {
	target, err := s.m.Readlink(name)
	return target, oserr.Path("readlink", name, err)
}

// SymlinkIfPossible makes a symbolic link. It exists in the queue and on the remote, never on the local disk. An absolute
// target is relative to the root of the Fs, and no link leads above that root. The error is afero.ErrNoSymlink if the remote
// has no symbolic links.
func (s *Fs) SymlinkIfPossible(oldname, newname string) error {
	return oserr.Link("symlink", oldname, newname, s.symlink(oldname, newname))
}

func (s *Fs) symlink(target, name string) error {
	if !s.m.Remote().HasLinks() {
		return afero.ErrNoSymlink
	}
	clean, err := s.m.Clean(name)
	if err != nil {
		return err
	}
	if target == "" {
		return syscall.ENOENT // as symlink(2)
	}
	if _, err := mirror.Clean(target); err != nil {
		return err
	}
	return s.m.Do(func(v *mirror.View) error {
		p, err := vacant(v, clean)
		if err != nil {
			return err
		}
		if err := mirror.Creatable(p.Name); err != nil {
			return err
		}
		meta := tree.Meta{Mode: fs.ModeSymlink | 0o777, Size: int64(len(target)), MTime: v.Now()}
		n := v.Tree().Create(p.Dir, p.Name, tree.Link, meta, p.Answer.Known, v.Now())
		n.SetTarget(target)
		return nil
	})
}
