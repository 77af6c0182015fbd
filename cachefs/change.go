package cachefs

import (
	"errors"
	"io/fs"
	"syscall"
	"time"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/oserr"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// learn records the effect of a change of a name.
func (c *Fs) learn(clean string, how func(v *mirror.View, clean string)) error {
	return c.m.Do(func(v *mirror.View) error {
		how(v, clean)
		return nil
	})
}

// Mkdir makes a directory on the remote.
func (c *Fs) Mkdir(name string, perm fs.FileMode) error {
	return c.mkdir(name, func(r afero.Fs, n string) error { return r.Mkdir(n, perm) })
}

// MkdirAll makes a directory on the remote, and those above it.
func (c *Fs) MkdirAll(name string, perm fs.FileMode) error {
	err := c.mkdir(name, func(r afero.Fs, n string) error { return r.MkdirAll(n, perm) })
	if (errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.ENOTDIR)) && c.blocked(name) {
		err = oserr.Path("mkdir", name, fs.ErrExist) // as with os.MkdirAll
	}
	return err
}

// blocked reports whether a dangling symbolic link is on the way to a name.
func (c *Fs) blocked(name string) bool {
	clean, err := c.m.Clean(name)
	for i := 0; err == nil && i <= len(clean); i++ {
		if i < len(clean) && clean[i] != '/' {
			continue
		}
		if _, err = c.m.Stat(clean[:i], true); err != nil {
			_, lstatErr := c.m.Stat(clean[:i], false)
			return lstatErr == nil
		}
	}
	return false
}

func (c *Fs) mkdir(name string, do func(remote afero.Fs, remoteName string) error) error {
	clean, err := c.remotes(name, false, true)
	if err == nil {
		err = remote.Error(c.m.Quiesce(func() error { return do(c.m.Remote().Fs(), c.m.Remote().Name(clean)) }))
		if learnErr := c.learn(clean, madeDir); err == nil {
			err = learnErr
		}
	}
	return oserr.Path("mkdir", name, err)
}

// Remove removes a file or an empty directory on the remote, and its local copy.
func (c *Fs) Remove(name string) error {
	return oserr.Path("remove", name, c.remove(name, afero.Fs.Remove))
}

// RemoveAll removes a name and everything below it on the remote, and the local copies.
func (c *Fs) RemoveAll(name string) error {
	err := c.remove(name, afero.Fs.RemoveAll)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return oserr.Path("removeall", name, err)
}

func (c *Fs) remove(name string, do func(remote afero.Fs, remoteName string) error) error {
	clean, err := c.remotes(name, false, false)
	if err != nil {
		return err
	}
	err = c.m.Quiesce(func() error { return do(c.m.Remote().Fs(), c.m.Remote().Name(clean)) }, clean)
	if err := remote.Error(err); err != nil {
		_ = c.learn(clean, (*mirror.View).Doubt) // it may have been executed, or in part
		return err
	}
	return c.learn(clean, (*mirror.View).Forget)
}

// Rename renames a file or directory on the remote, and moves the local copies along.
func (c *Fs) Rename(oldname, newname string) error {
	return oserr.Link("rename", oldname, newname, c.rename(oldname, newname))
}

func (c *Fs) rename(oldname, newname string) error {
	from, err := c.remotes(oldname, false, false)
	if err != nil {
		return err
	}
	to, err := c.remotes(newname, false, true)
	if err != nil {
		// As the system does, report the directory of the old name first.
		dir, _ := tree.Split(from)
		if _, dirErr := c.m.Stat(dir, true); errors.Is(dirErr, fs.ErrNotExist) {
			err = dirErr
		}
		return err
	}
	err = remote.Error(c.m.Quiesce(func() error {
		return c.m.Remote().Fs().Rename(c.m.Remote().Name(from), c.m.Remote().Name(to))
	}, from, to))
	if err == nil && from != to {
		err = c.m.Do(func(v *mirror.View) error { return v.Renamed(from, to) })
	}
	if err != nil {
		_ = c.learn(from, (*mirror.View).Doubt)
		_ = c.learn(to, (*mirror.View).Doubt)
	}
	return err
}

// SymlinkIfPossible makes a symbolic link on the remote.
func (c *Fs) SymlinkIfPossible(oldname, newname string) error {
	clean, err := c.remotes(newname, false, true)
	if err == nil {
		linker, ok := remote.Optional[afero.Linker](c.m.Remote())
		if !ok {
			err = afero.ErrNoSymlink
		} else {
			err = remote.Error(c.m.Quiesce(func() error { return linker.SymlinkIfPossible(oldname, c.m.Remote().Name(clean)) }))
		}
	}
	if err == nil {
		err = c.learn(clean, (*mirror.View).Forget)
	}
	return oserr.Link("symlink", oldname, newname, err)
}

// Chmod changes the mode on the remote.
func (c *Fs) Chmod(name string, mode fs.FileMode) error {
	return c.attribute("chmod", name, func(r afero.Fs, n string) error { return r.Chmod(n, mode) })
}

// Chown changes the owner on the remote.
func (c *Fs) Chown(name string, uid, gid int) error {
	return c.attribute("chown", name, func(r afero.Fs, n string) error { return r.Chown(n, uid, gid) })
}

// Chtimes changes the times on the remote. A copy of the version before is a copy of the new version, which has the same
// content.
func (c *Fs) Chtimes(name string, atime, mtime time.Time) error {
	return c.attribute("chtimes", name, func(r afero.Fs, n string) error { return r.Chtimes(n, atime, mtime) })
}

// attribute changes an attribute on the remote and leaves the content alone.
func (c *Fs) attribute(op, name string, do func(remote afero.Fs, remoteName string) error) error {
	clean, err := c.remotes(name, true, false)
	if err != nil {
		return oserr.Path(op, name, err)
	}
	before := c.m.Remote().Ask(clean)
	err = remote.Error(c.m.Alter(func() error { return do(c.m.Remote().Fs(), c.m.Remote().Name(clean)) }, clean))
	after := c.m.Remote().Ask(clean)
	refreshErr := c.m.Do(func(v *mirror.View) error {
		refreshed(v, clean, after, ownedAs(v, clean, before))
		return nil
	})
	if err == nil {
		err = refreshErr
	}
	return oserr.Path(op, name, err)
}
