package syncfs

import (
	"errors"
	"io/fs"
	"time"

	contract "github.com/sftpsyncer/go-syncfs/cachefs/remote"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// errNotStaged: a content has to be sent with the ordinary requests.
var errNotStaged = errors.New("not staged")

// stages reports whether contents may be staged: the remote has the method, and needs no sync.
func (s *Fs) stages() bool {
	_, ok := remote.Optional[contract.Stager](s.m.Remote())
	return ok && !s.syncRemote
}

// stage sends a small content to its temporary file with one call, if the remote supports that. It returns what the
// remote then has as the temporary file and at the target.
func (s *Fs) stage(step tree.Step, c content, p *part, r *Result, sum *tree.Hash) (
	a, target remote.Answer, err error) {
	want := c.wanted(fs.ModePerm)
	if p.from > 0 || c.stamp.Size > mostStaged || want.Set&tree.AttrOwner != 0 || !s.stages() {
		return a, target, errNotStaged
	}
	defer s.meter.Begin(c.path, c.stamp.Size, func() int64 { return 0 }).End()
	var staged, there fs.FileInfo
	send := func(f small) {
		staged, there, err = s.m.Remote().Fs().(contract.Stager).Stage(s.m.Remote().Name(p.path), f.bytes, want.Mode,
			time.Unix(0, want.ATime), time.Unix(0, want.MTime), s.m.Remote().Name(step.Path))
	}
	var localErr error
	f, ok := s.ahead.take(step.Node, c)
	if ok {
		send(f)
	} else {
		f, localErr = s.readSmall(c, send)
	}
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return a, target, errNotStaged
	case err != nil:
		return a, target, remote.Error(err)
	case localErr != nil:
		return a, target, localErr
	}
	*sum, r.Bytes = f.hash, c.stamp.Size
	return s.m.Remote().Described(p.path, staged), s.m.Remote().Described(step.Path, there), nil
}
