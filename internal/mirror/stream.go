package mirror

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/sftpsyncer/go-syncfs/internal/download"
	"github.com/sftpsyncer/go-syncfs/internal/handle"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/lockorder"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// stream is what a handle reads that was opened before its file was here. It reads one version: that of the download from
// which it got its first byte. Should that fail, it goes on with another download of the same version, and where there is no
// room for one, on the remote. Once the remote has it under another name, what comes to that name is not what was opened: then
// it reads the version that it was opened for.
type stream struct {
	m      *FS    // its context is that of the handle
	name   string // as it was opened
	node   *tree.Node
	shared *openFile
	path   string // of node on the remote when it was opened
	read   download.Reader

	mu       lockorder.Mutex[streamLock] // guards what follows
	at       *sharedDownload
	expected expectation
	version  *tree.Meta     // that was read; nil: nothing yet
	local    *localdir.File // the node's file, once that is all there is
}

var (
	_ handle.Content    = (*stream)(nil)
	_ handle.Prefetcher = (*stream)(nil)
)

// ReadAt reads until p is full.
func (s *stream) ReadAt(p []byte, off int64) (done int, err error) {
	for done < len(p) {
		n, err := s.ReadSome(p[done:], off+int64(done))
		done += n
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// ReadSome reads what is here, or waits for what comes first.
func (s *stream) ReadSome(p []byte, off int64) (int, error) {
	for attempt := 1; ; attempt++ {
		n, err := s.try(p, off)
		if !errors.Is(err, download.ErrSuperseded) && !errors.Is(err, ErrChanged) || attempt == fetchAttempts || s.bound() {
			return n, lost(err)
		}
	}
}

// lost is what an error means to who has opened the file.
func lost(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: it was removed", ErrChanged)
	}
	return err
}

// bound says whether something was read.
func (s *stream) bound() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version != nil
}

func (s *stream) try(p []byte, off int64) (int, error) {
	a, local, err := s.source()
	switch {
	case err != nil:
		return 0, err
	case local != nil:
		return local.ReadAt(p, off)
	}
	n, err := a.Read(s.m.ctx, &s.read, p, off)
	if version, _ := a.Version(); n > 0 && !s.bind(version) {
		return 0, ErrChanged
	}
	return n, err
}

// bind ties the handle to the first version that it reads. It says whether this is it.
func (s *stream) bind(version tree.Meta) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.version == nil {
		s.version = &version
	}
	return s.version.SameVersion(version)
}

// source is where to read: a download, or a local file. A download that has failed before, when others waited, is
// replaced.
func (s *stream) source() (*sharedDownload, *localdir.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.local != nil {
		return nil, s.local, nil
	}
	err := s.at.Failure()
	switch {
	case err == nil, errors.Is(err, download.ErrNoRoom):
		return s.at, nil, nil
	case errors.Is(err, ErrChanged) && s.version != nil:
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

// rejoin joins another download of what the handle reads.
func (s *stream) rejoin() (*sharedDownload, error) {
	for {
		e := s.expected
		if s.version != nil {
			e = expectation{since: ^uint64(0), meta: *s.version}
		}
		renamed := false
		a, err := s.m.join(s.node, e, func(a *sharedDownload) {
			a.addHandle()
			renamed = s.bindRenamed()
		})
		if a == nil || !renamed {
			return a, err
		}
		s.part(a)
	}
}

// part takes the handle away from a download.
func (s *stream) part(a *sharedDownload) {
	a.leave(&a.handles, false)
	a.Release()
}

// bindRenamed ties a handle that has read nothing to the version that it was opened for, once the remote has the file under
// another name. It says whether it did. The mirror is locked, and so is the handle.
func (s *stream) bindRenamed() bool {
	if s.version != nil || s.node.RemotePath() == s.path {
		return false
	}
	s.version = &s.expected.meta
	return true
}

// settle goes over to the node's file. It fails with err if the node is gone.
func (s *stream) settle(err error) error {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	n := s.node
	s.bindRenamed()
	switch {
	case (s.m.tree.Node(n.ID) != n || !present(n)) && errors.Is(err, download.ErrSuperseded):
		return fs.ErrNotExist
	case s.m.tree.Node(n.ID) != n || !present(n):
		return err
	case n.Content() == tree.Owned && s.version != nil && !n.Meta.SameVersion(*s.version):
		return ErrChanged
	}
	path := n.Path()
	if n.Content() == tree.Owned && n.Copy().Installing != "" {
		path = n.Copy().Installing // under the node's name is what it replaces, or nothing
	}
	local, err := s.m.local.OpenFile(path, 0, 0)
	if err == nil {
		s.local = local
	}
	return err
}

// Prefetch has all that arrives brought.
func (s *stream) Prefetch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at.Want()
}

// Size is the length of the version.
func (s *stream) Size() (int64, error) {
	for attempt := 1; ; attempt++ {
		size, err := s.trySize()
		if !errors.Is(err, download.ErrSuperseded) && !errors.Is(err, ErrChanged) || attempt == fetchAttempts || s.bound() {
			return size, lost(err)
		}
	}
}

func (s *stream) trySize() (int64, error) {
	a, local, err := s.source()
	switch {
	case err != nil:
		return 0, err
	case local != nil:
		info, err := local.Stat()
		return info.Size(), err
	}
	return a.Size(s.m.ctx)
}

// Stat describes what is arriving, or the local file.
func (s *stream) Stat() (fs.FileInfo, error) {
	if meta, arriving := s.shown(); arriving {
		return tree.NewInfo(s.name, meta), nil
	}
	info, err := s.localInfo()
	if err != nil {
		return nil, err
	}
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	return tree.NewInfo(s.name, s.m.view().openMeta(s.node, s.shared, info)), nil
}

func (s *stream) localInfo() (localdir.Info, error) {
	_, local, err := s.source()
	switch {
	case err != nil:
		return localdir.Info{}, err
	case local != nil:
		return local.Stat()
	}
	return s.at.Current().Stat()
}

// shown is the metadata of what is arriving; not that of a local file.
func (s *stream) shown() (meta tree.Meta, arriving bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
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

// Change fails: the handle is for reading.
func (s *stream) Change(bool, func(*localdir.File) (int, error)) (int, error) {
	return 0, syscall.EBADF
}

// Sync does nothing: the handle is for reading.
func (s *stream) Sync() error { return nil }

// Close gives up the download, which may go on.
func (s *stream) Close() error {
	s.m.mu.Lock()
	s.shared.streams--
	s.m.unshare(s.node, s.shared)
	s.m.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at.leave(&s.at.handles, true)
	s.at.awaitClosed(s.m.ctx)
	s.at.Release()
	if s.local != nil {
		return s.local.Close()
	}
	return nil
}
