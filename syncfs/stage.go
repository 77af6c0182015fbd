package syncfs

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// stager is what a remote has that makes a new small file with all that belongs to it, and looks at it and at the file
// that it is to replace, in few round trips. An error that matches errors.ErrUnsupported means only that this has to be
// done in another way; the file may be there in part then.
type stager interface {
	Stage(name string, content []byte, mode fs.FileMode, atime, mtime time.Time, target string) (
		staged, there fs.FileInfo, err error)
}

// errNotStaged says that a content has to be sent in the usual way.
var errNotStaged = errors.New("not staged")

// mostStaged is how large a file is that is sent in one piece: in memory, and in one go.
const mostStaged = 64 << 10

// stage sends a small content to its temporary file, if the remote can do that at once. It returns what that is then, and
// what is at the target.
func (s *Fs) stage(step tree.Step, local *localdir.File, c content, p *part, r *Result, sum *tree.Hash) (
	a, target mirror.Answer, err error) {
	remote, ok := s.m.RemoteFs().(stager)
	want := c.wanted()
	if !ok || p.from > 0 || c.stamp.Size > mostStaged || s.syncRemote || want.Set&tree.AttrOwner != 0 {
		return a, target, errNotStaged
	}
	bytes := make([]byte, c.stamp.Size)
	if n, _ := local.ReadAt(bytes, 0); n < len(bytes) {
		return a, target, errNotStaged // which finds out why
	}
	*sum = sha256.Sum256(bytes)
	defer s.meter.Begin(c.path, c.stamp.Size, func() int64 { return 0 }).End()
	var staged, there fs.FileInfo
	var syncErr error
	s.both(
		func() {
			staged, there, err = remote.Stage(s.m.RemoteName(p.path), bytes, want.Mode,
				time.Unix(0, want.ATime), time.Unix(0, want.MTime), s.m.RemoteName(step.Path))
		},
		func() { syncErr = s.lasting(local, c.path) })
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return a, target, errNotStaged
	case err != nil:
		return a, target, mirror.Remote(err)
	}
	r.Bytes = c.stamp.Size
	return s.m.Described(p.path, staged), s.m.Described(step.Path, there), syncErr
}
