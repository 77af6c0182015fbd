package sftptest

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/afero"
)

// ObjectStore keeps files as a gateway to an object store does, for example SeaweedFS's, AWS Transfer Family's or SFTPGo's:
//
//   - A file exists, or has its new content, when it is closed after writing. If the channel ends before, it never does.
//   - Renaming a file gives it a new time, at least a second later than the one it had.
//   - Renaming a directory and setting times fail with StatusOpUnsupported.
func ObjectStore() Character {
	return func(o *Options) {
		o.openers = append(o.openers, openObject)
		o.Hooks = append(o.Hooks, func(r *Request) Answer {
			switch r.Kind {
			case Setstat, Fsetstat:
				if r.Attrs.Times != nil {
					return Refuse(StatusOpUnsupported, "")
				}
			case Rename, PosixRename:
				return r.renameObject()
			}
			return r.Next()
		})
	}
}

func (r *Request) renameObject() Answer {
	t := r.tree()
	fi, err := t.lstat(r.Path)
	if err == nil && fi.IsDir() {
		return Refuse(StatusOpUnsupported, "")
	}
	a := r.Next()
	if err != nil || !fi.Mode().IsRegular() || a.Status != StatusOK {
		return a
	}
	now := time.Now()
	if later := fi.ModTime().Add(time.Second); now.Before(later) {
		now = later
	}
	return result(t.fs.Chtimes(r.Target, now, now))
}

// openObject opens a file for writing as an object, and a file for reading as open does.
func openObject(_ *tree, open opener) opener {
	return func(name string, flag int, perm fs.FileMode) (afero.File, error) {
		if flag&(os.O_WRONLY|os.O_RDWR) == 0 {
			return open(name, flag, perm)
		}
		content, err := read(open, name)
		if err != nil && (flag&os.O_CREATE == 0 || !errors.Is(err, fs.ErrNotExist)) {
			return nil, err
		}
		if flag&os.O_TRUNC != 0 {
			content = nil
		}
		node := newNode(perm)
		node.data = content
		return &object{&memFile{fs: newMemFs(), node: node, name: name, flag: flag}, open}, nil
	}
}

func read(open opener, name string) ([]byte, error) {
	f, err := open(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// An object is a file that is being written. Its content is in memory until it is closed.
type object struct {
	*memFile
	open opener
}

func (f *object) Close() error {
	if err := f.memFile.Close(); err != nil {
		return err
	}
	to, err := f.open(f.name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, f.node.mode.Perm())
	if err != nil {
		return err
	}
	_, err = to.WriteAt(f.node.data, 0)
	return errors.Join(err, to.Close())
}

// abandon closes the file without a trace.
func (f *object) abandon() { _ = f.memFile.Close() }
