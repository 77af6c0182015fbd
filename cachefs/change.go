package cachefs

import (
	"io/fs"
	"path"
	"time"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

func baseOf(clean string) string { return path.Base(clean) }

// change makes a change of one name on the remote, then drops what is known about the name.
func (c *Fs) change(op, name string, do func(remote afero.Fs, remoteName string) error) error {
	clean, err := c.remotes(name, false)
	if err == nil {
		err = mirror.Remote(do(c.m.RemoteFs(), c.m.RemoteName(clean)))
		// Also after an error: it may have been done, or done in part.
		if forgetErr := c.forget(clean); err == nil {
			err = forgetErr
		}
	}
	return mirror.PathError(op, name, err)
}

func (c *Fs) forget(clean string) error {
	return c.m.Do(func(v *mirror.View) error {
		v.Forget(clean)
		return nil
	})
}

// Mkdir makes a directory on the remote.
func (c *Fs) Mkdir(name string, perm fs.FileMode) error {
	return c.change("mkdir", name, func(r afero.Fs, n string) error { return r.Mkdir(n, perm) })
}

// MkdirAll makes a directory on the remote, and those above it.
func (c *Fs) MkdirAll(name string, perm fs.FileMode) error {
	return c.change("mkdir", name, func(r afero.Fs, n string) error { return r.MkdirAll(n, perm) })
}

// Remove removes a file or an empty directory on the remote, and the copy.
func (c *Fs) Remove(name string) error {
	return c.change("remove", name, afero.Fs.Remove)
}

// RemoveAll removes a name and all below it on the remote, and the copies.
func (c *Fs) RemoveAll(name string) error {
	return c.change("removeall", name, afero.Fs.RemoveAll)
}

// Rename renames on the remote, and takes the copies along.
func (c *Fs) Rename(oldname, newname string) error {
	return mirror.LinkError("rename", oldname, newname, c.rename(oldname, newname))
}

func (c *Fs) rename(oldname, newname string) error {
	from, err := c.remotes(oldname, false)
	if err != nil {
		return err
	}
	to, err := c.remotes(newname, false)
	if err != nil {
		return err
	}
	if err := mirror.Remote(c.m.RemoteFs().Rename(c.m.RemoteName(from), c.m.RemoteName(to))); err != nil {
		_ = c.forget(from)
		_ = c.forget(to)
		return err
	}
	if from == to {
		return nil
	}
	dir, base := tree.Split(to)
	return c.m.Do(func(v *mirror.View) error {
		p, err := v.Find(dir, true)
		if err != nil {
			return err
		}
		d, err := v.Enter(p)
		if err != nil {
			return err
		}
		v.Forget(to)
		return v.Renamed(from, d, base)
	})
}

// SymlinkIfPossible makes a link on the remote.
func (c *Fs) SymlinkIfPossible(oldname, newname string) error {
	clean, err := c.remotes(newname, false)
	if err == nil {
		linker, ok := c.m.RemoteFs().(afero.Linker)
		if !ok {
			err = afero.ErrNoSymlink
		} else {
			err = mirror.Remote(linker.SymlinkIfPossible(oldname, c.m.RemoteName(clean)))
		}
	}
	if err == nil {
		err = c.forget(clean)
	}
	return mirror.LinkError("symlink", oldname, newname, err)
}

// Chmod changes the mode on the remote.
func (c *Fs) Chmod(name string, mode fs.FileMode) error {
	return c.attribute("chmod", name, func(r afero.Fs, n string) error { return r.Chmod(n, mode) })
}

// Chown changes the owner on the remote.
func (c *Fs) Chown(name string, uid, gid int) error {
	return c.attribute("chown", name, func(r afero.Fs, n string) error { return r.Chown(n, uid, gid) })
}

// Chtimes changes the times on the remote. A copy of the version whose times are changed is one of the new version.
func (c *Fs) Chtimes(name string, atime, mtime time.Time) error {
	return c.attribute("chtimes", name, func(r afero.Fs, n string) error { return r.Chtimes(n, atime, mtime) })
}

// attribute changes something on the remote that leaves the content alone.
func (c *Fs) attribute(op, name string, do func(remote afero.Fs, remoteName string) error) error {
	clean, err := c.remotes(name, true)
	if err != nil {
		return mirror.PathError(op, name, err)
	}
	before := c.m.Ask(clean)
	err = mirror.Remote(do(c.m.RemoteFs(), c.m.RemoteName(clean)))
	after := c.m.Ask(clean)
	refreshErr := c.m.Do(func(v *mirror.View) error {
		v.Refreshed(clean, after, v.OwnedAs(clean, before))
		return nil
	})
	if err == nil {
		err = refreshErr
	}
	return mirror.PathError(op, name, err)
}
