package copies

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/sftpsyncer/go-syncfs/internal/download"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/lockorder"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Stream reads a file that is being downloaded. It reads one version: that of the download from which it got its first byte.
// If that download fails, the stream continues with another download of the same version, and if there is no room for one,
// it reads the remote. After the file was renamed on the remote, only the version that was opened counts: another file may
// have its new name.
type Stream struct {
	set  *Set
	ctx  context.Context
	node *tree.Node
	path string // of node on the remote when it was opened
	read download.Reader

	mu       lockorder.Mutex[streamLock] // guards what follows
	at       *shared
	expected Expectation
	version  *tree.Meta     // of what was read; nil: nothing yet
	local    *localdir.File // the node's local file, when there is no download any more
}

// Open returns a stream over a download of a node, when the remote has opened the file or is sure to open it. path is
// where the caller has seen the file. joined is called with Lock held; changing is set if a change of the file is in
// flight, and sure reports whether the remote is sure to open the file. Open returns nil if there is nothing to
// download, or if the caller has to look again.
func (set *Set) Open(ctx context.Context, n *tree.Node, path string, e Expectation, joined func(changing bool) (sure bool)) (*Stream,
	error) {
	sure, renamed := false, false
	a, err := set.join(ctx, n, e, func(a *shared) {
		a.addHandle()
		sure = joined(set.quiesced(a))
		renamed = n.RemotePath() != path // another file may have its name
	})
	if a == nil {
		return nil, err
	}
	s := &Stream{set: set, ctx: ctx, node: n, path: path, at: a, expected: e}
	if !sure && !renamed {
		select {
		case <-a.Opened:
			err = a.Failure()
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if !renamed && (err == nil || errors.Is(err, download.ErrChanged) || errors.Is(err, download.ErrNoRoom)) {
		return s, nil
	}
	_ = s.Close()
	if errors.Is(err, download.ErrSuperseded) {
		err = nil
	}
	return nil, err
}

// ReadAt reads until p is full.
func (s *Stream) ReadAt(p []byte, off int64) (done int, err error) {
	for done < len(p) {
		n, err := s.ReadSome(p[done:], off+int64(done))
		done += n
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// ReadSome reads at least one byte, and what else has arrived.
func (s *Stream) ReadSome(p []byte, off int64) (int, error) {
	for attempt := 1; ; attempt++ {
		n, err := s.try(p, off)
		if !errors.Is(err, download.ErrSuperseded) && !errors.Is(err, download.ErrChanged) || attempt == fetchAttempts || s.bound() {
			return n, lost(err)
		}
	}
}

// lost turns fs.ErrNotExist into ErrChanged: the handle was opened on a file that existed.
func lost(err error) error {
	if remote.Absent(err) {
		return fmt.Errorf("%w: it was removed", download.ErrChanged)
	}
	return err
}

// bound reports whether the stream is bound to a version.
func (s *Stream) bound() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version != nil
}

func (s *Stream) try(p []byte, off int64) (int, error) {
	a, local, err := s.source()
	switch {
	case err != nil:
		return 0, err
	case local != nil:
		return local.ReadAt(p, off)
	}
	n, err := a.Read(s.ctx, &s.read, p, off)
	if version, _ := a.Version(); n > 0 && !s.bind(version) {
		return 0, download.ErrChanged
	}
	return n, err
}

// bind binds the stream to the first version that it reads, and reports whether this is that version.
func (s *Stream) bind(version tree.Meta) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.version == nil {
		s.version = &version
	}
	return s.version.SameVersion(version)
}

// source returns what to read: a download, or a local file. It replaces a download that has failed.
func (s *Stream) source() (*shared, *localdir.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.local != nil {
		return nil, s.local, nil
	}
	err := s.at.Failure()
	switch {
	case err == nil, errors.Is(err, download.ErrNoRoom):
		return s.at, nil, nil
	case errors.Is(err, download.ErrChanged) && s.version != nil:
		return nil, nil, err
	}
	a, joinErr := s.rejoin()
	switch {
	case joinErr != nil:
		return nil, nil, joinErr
	case a == nil:
		err = s.settle(err)
		return nil, s.local, err
	}
	s.part(s.at)
	s.at = a
	return a, nil, nil
}

// rejoin joins another download of the version that the stream reads.
func (s *Stream) rejoin() (*shared, error) {
	for {
		e := s.expected
		if s.version != nil {
			e = Expectation{Since: ^uint64(0), Meta: *s.version}
		}
		renamed := false
		a, err := s.set.join(s.ctx, s.node, e, func(a *shared) {
			a.addHandle()
			renamed = s.bindRenamed()
		})
		if a == nil || !renamed {
			return a, err
		}
		s.part(a)
	}
}

// part removes the stream from a download.
func (s *Stream) part(a *shared) {
	a.leave(&a.handles, false)
	a.Release()
}

// bindRenamed binds a stream that has read nothing to the version that it was opened for, if the file was renamed on the
// remote. It reports whether it did. Lock and s.mu are held.
func (s *Stream) bindRenamed() bool {
	if s.version != nil || s.node.RemotePath() == s.path {
		return false
	}
	s.version = &s.expected.Meta
	return true
}

// settle makes the stream read the node's local file. It fails with err if the node is gone or has no bytes.
func (s *Stream) settle(err error) error {
	s.set.Lock.Lock()
	defer s.set.Lock.Unlock()
	n := s.node
	s.bindRenamed()
	switch {
	case (s.set.tree.Node(n.ID) != n || !n.Present()) && errors.Is(err, download.ErrSuperseded):
		return fs.ErrNotExist
	case s.set.tree.Node(n.ID) != n || !n.Present():
		return err
	case n.Content() == tree.Owned && s.version != nil && !n.Meta.SameVersion(*s.version):
		return download.ErrChanged
	}
	path := n.Path()
	if n.Content() == tree.Owned && n.Copy().Installing() != "" {
		path = n.Copy().Installing() // the node's name has the copy that it replaces, or nothing
	}
	local, err := s.set.Local.OpenFile(path, 0, 0)
	if err == nil {
		s.local = local
	}
	return err
}

// Prefetch requests the whole file.
func (s *Stream) Prefetch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at.Want()
}

// Size returns the length of the version.
func (s *Stream) Size() (int64, error) {
	for attempt := 1; ; attempt++ {
		size, err := s.trySize()
		if !errors.Is(err, download.ErrSuperseded) && !errors.Is(err, download.ErrChanged) || attempt == fetchAttempts || s.bound() {
			return size, lost(err)
		}
	}
}

func (s *Stream) trySize() (int64, error) {
	a, local, err := s.source()
	switch {
	case err != nil:
		return 0, err
	case local != nil:
		info, err := local.Stat()
		return info.Size(), err
	}
	return a.Size(s.ctx)
}

// Local describes the local file.
func (s *Stream) Local() (localdir.Info, error) {
	_, local, err := s.source()
	switch {
	case err != nil:
		return localdir.Info{}, err
	case local != nil:
		return local.Stat()
	}
	return s.at.Current().Stat()
}

// Shown returns the metadata of the file while it is arriving.
func (s *Stream) Shown() (meta tree.Meta, arriving bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set.Lock.Lock()
	defer s.set.Lock.Unlock()
	if s.local != nil || s.at.HandedOver() {
		return meta, false
	}
	meta = s.node.Shown()
	version, known := s.at.Version()
	switch {
	case s.version != nil:
		version = *s.version
	case !known:
		version = s.node.Meta
	}
	if s.node.Ours() || !s.node.Meta.SameVersion(version) {
		meta.Size, meta.MTime = version.Size, version.MTime
	}
	return meta, true
}

// Close leaves the download, which may go on without this reader.
func (s *Stream) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at.leave(&s.at.handles, true)
	s.at.awaitClosed(s.ctx)
	s.at.Release()
	if s.local != nil {
		return s.local.Close()
	}
	return nil
}
