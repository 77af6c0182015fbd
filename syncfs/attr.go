package syncfs

import (
	"io/fs"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Chmod changes the mode bits of a file or directory, and follows symbolic links. The local copy keeps a mode with which the
// library can read and write it.
func (s *Fs) Chmod(name string, mode fs.FileMode) error {
	const bits = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky
	return s.setAttr("chmod", name, func(v *mirror.View, n *tree.Node) error {
		a := &v.Tree().Note(n, v.Now()).Attr
		a.Set |= tree.AttrMode
		a.Mode = mode & bits
		return nil
	})
}

// Chown changes the numeric owner and group.
func (s *Fs) Chown(name string, uid, gid int) error {
	return s.setAttr("chown", name, func(v *mirror.View, n *tree.Node) error {
		a := &v.Tree().Note(n, v.Now()).Attr
		a.Set |= tree.AttrOwner
		a.UID, a.GID = uid, gid
		return nil
	})
}

// Chtimes changes the access and modification times. A zero time leaves the respective time unchanged. A later write changes
// the modification time again. Push keeps a time that was set, even if the replaced file has the same size and second, so
// that other clients cannot tell the two versions apart.
func (s *Fs) Chtimes(name string, atime, mtime time.Time) error {
	return s.setAttr("chtimes", name, func(v *mirror.View, n *tree.Node) error {
		if mtime.IsZero() {
			mtime = v.ModTime(n)
		}
		if atime.IsZero() {
			atime = mtime
		}
		return setTimes(v, n, atime, mtime)
	})
}

// setAttr changes attributes of what a name stands for. It follows symbolic links.
func (s *Fs) setAttr(op, name string, set func(v *mirror.View, n *tree.Node) error) error {
	return s.change(op, name, func(v *mirror.View, clean string) error {
		p, err := v.Find(clean, true)
		if err == nil {
			err = p.Err()
		}
		if err != nil {
			return err
		}
		var n *tree.Node
		if p.Local != nil && p.Kind() != tree.Dir {
			if n, err = adoptFile(v, p); err != nil {
				return err
			}
		} else {
			n = v.Materialize(p)
		}
		err = set(v, n)
		v.Tree().Touch(n)
		return err
	})
}
