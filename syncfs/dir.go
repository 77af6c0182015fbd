package syncfs

import (
	"errors"
	"io/fs"
	"syscall"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/oserr"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Mkdir makes a directory.
func (s *Fs) Mkdir(name string, perm fs.FileMode) error {
	return s.change("mkdir", name, func(v *mirror.View, clean string) error {
		p, err := vacant(v, clean)
		if err != nil {
			return err
		}
		return mkdir(v, p, perm)
	})
}

// vacant returns the place of a name that is free. The error is fs.ErrExist if the name is taken.
func vacant(v *mirror.View, clean string) (mirror.Place, error) {
	p, err := v.Find(clean, false)
	if err != nil {
		return p, err
	}
	exists, err := p.Exists()
	if exists {
		err = fs.ErrExist
	}
	return p, err
}

// MkdirAll makes a directory and all missing directories above it. An existing directory is no error. While the remote is
// unreachable, MkdirAll makes directories that the remote may already have; what the remote has in them appears later.
func (s *Fs) MkdirAll(name string, perm fs.FileMode) error {
	return s.change("mkdir", name, func(v *mirror.View, clean string) error {
		for _, prefix := range prefixes(clean) {
			if err := s.ensureDir(v, prefix, perm); err != nil {
				return err
			}
		}
		return nil
	})
}

// ensureDir makes a directory if it does not exist.
func (s *Fs) ensureDir(v *mirror.View, path string, perm fs.FileMode) error {
	p, err := v.Find(path, false)
	if n := v.Tree().Lookup(path); errors.Is(err, ErrUnavailable) && n != nil && n.Kind == tree.Dir {
		return nil // it was there when the remote was asked last
	}
	if err != nil {
		return err
	}
	exists, err := p.Exists()
	switch {
	case errors.Is(err, ErrUnavailable), s.direct && forbidden(err):
		return assume(v, p, perm)
	case err != nil:
		return err
	case !exists:
		return mkdir(v, p, perm)
	case p.Kind() != tree.Link:
		return isDir(p)
	}
	p, err = v.Find(path, true)
	if err == nil {
		err = p.Err()
	}
	switch {
	case err == nil:
	case remote.Definite(err):
		return fs.ErrExist // a dangling symbolic link is in the way
	default:
		return err
	}
	return isDir(p)
}

func isDir(p mirror.Place) error {
	if p.Kind() != tree.Dir {
		return syscall.ENOTDIR
	}
	return nil
}

// change runs do with a View and the clean name.
func (s *Fs) change(op, name string, do func(v *mirror.View, clean string) error) error {
	clean, err := s.m.Clean(name)
	if err == nil {
		err = s.m.Do(func(v *mirror.View) error { return do(v, clean) })
	}
	return oserr.Path(op, name, err)
}

// prefixes returns the paths on the way to a clean path, from the top, and the path itself.
func prefixes(clean string) []string {
	var all []string
	for i, c := range clean {
		if c == '/' {
			all = append(all, clean[:i])
		}
	}
	return append(all, clean)
}

// mkdir makes a directory where the view has nothing.
func mkdir(v *mirror.View, p mirror.Place, perm fs.FileMode) error {
	if err := mirror.Creatable(p.Name); err != nil {
		return err
	}
	meta := tree.Meta{Mode: fs.ModeDir | v.Umasked(perm), MTime: v.Now()}
	n := v.Tree().Create(p.Dir, p.Name, tree.Dir, meta, p.Answer.Known, v.Now())
	return v.Save(tree.Action{Kind: tree.MkdirLocal, To: n.Path()})
}

// assume makes a directory that the remote may have.
func assume(v *mirror.View, p mirror.Place, perm fs.FileMode) error {
	if err := mirror.Creatable(p.Name); err != nil {
		return err
	}
	meta := tree.Meta{Mode: fs.ModeDir | v.Umasked(perm), MTime: v.Now()}
	n := v.Tree().Assume(p.Dir, p.Name, meta, v.Now())
	v.Tree().Note(n, v.Now()).Explicit = true
	v.Tree().Touch(n)
	return v.Save(tree.Action{Kind: tree.MkdirLocal, To: n.Path()})
}
