package syncfs

import (
	"io"
	"io/fs"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/oserr"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Conflict is a change that cannot be pushed because the remote has another version than its base. An upload with the same
// content as the remote's file is no conflict.
type Conflict struct {
	Change
	Reason error // the difference; it matches ErrConflict
	// Base is the version of the remote that the change was made to, Remote is the version that is there now, and Local is
	// the file to upload. nil: there is none, or it is unknown.
	Base, Remote, Local fs.FileInfo
	// OpenRemote and OpenLocal open the contents. nil: there is no content, or it is not a file.
	OpenRemote, OpenLocal func() (io.ReadCloser, error)
}

// conflictOf describes the conflict of a step with what the remote has now under a path.
func (s *Fs) conflictOf(step tree.Step, change Change, path string, b base, now remote.Answer, reason error) Conflict {
	c := Conflict{Change: change, Reason: named(change, reason)}
	if b.known == tree.Exists {
		c.Base = tree.NewInfo(path, b.meta)
	}
	if now.Known == tree.Exists {
		c.Remote = tree.NewInfo(path, now.Meta)
		if now.Kind == tree.File {
			c.OpenRemote = func() (io.ReadCloser, error) { return s.openRemote(path) }
		}
	}
	if step.Op != tree.Put {
		return c
	}
	err := s.m.Do(func(v *mirror.View) error {
		sent, err := sendable(v, step)
		if err == nil {
			meta := sent.shown
			meta.Size = sent.stamp.Size
			c.Local = tree.NewInfo(sent.path, meta)
			c.OpenLocal = func() (io.ReadCloser, error) { return s.openLocal(sent) }
		}
		return err
	})
	if err != nil {
		s.logger.Warn("conflict about a file that is in use", "name", change.Name, "err", err)
	}
	return c
}

func (s *Fs) openRemote(path string) (io.ReadCloser, error) {
	f, err := s.m.Remote().Open(path)
	if err != nil {
		return nil, oserr.Path("open", path, err)
	}
	return f, nil
}

func (s *Fs) openLocal(c content) (io.ReadCloser, error) {
	f, err := s.openContent(c)
	if err != nil {
		return nil, oserr.Path("open", c.path, err)
	}
	return struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(f, 0, c.stamp.Size), f}, nil
}
