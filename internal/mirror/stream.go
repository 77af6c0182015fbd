package mirror

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/lockorder"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// stream is what a handle reads that was opened before its file was here. It reads one version: that of the arrival from
// which it got its first byte. Should that fail, it goes on with another arrival of the same version, and where there is no
// room for one, on the remote. Once the remote has it under another name, what comes to that name is not what was opened: then
// it reads the version that it was opened for.
type stream struct {
	m    *FS // its context is that of the handle
	node *tree.Node
	path string // of node on the remote when it was opened

	mu        lockorder.Mutex[streamLock] // guards what follows
	at        *arrival
	expected  expectation
	version   *tree.Meta     // that was read; nil: nothing yet
	local     *localdir.File // the node's file, once that is all there is
	unchecked bool           // something was read since the version was compared last
	next      int64          // where the last read ended
	window    int64          // how much is asked for at once
}

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
		if !errors.Is(err, errGiven) && !errors.Is(err, ErrChanged) || attempt == fetchAttempts || s.bound() {
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
	n, err := a.read(s, p, off)
	if errors.Is(err, errNoRoom) {
		n, err = a.readRemote(s.m.ctx, p, off)
	}
	if meta, _ := a.version(); n > 0 && !s.bind(meta) {
		return 0, ErrChanged
	}
	s.mu.Lock()
	s.next = off + int64(n)
	s.mu.Unlock()
	return n, err
}

// bind ties the handle to the first version that it reads. It says whether this is it.
func (s *stream) bind(meta tree.Meta) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.version == nil {
		s.version = &meta
	}
	s.unchecked = true
	return s.version.SameVersion(meta)
}

// source is where to read: an arrival, or a local file. An arrival that has failed before, when others waited, is
// replaced.
func (s *stream) source() (*arrival, *localdir.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.local != nil {
		return nil, s.local, nil
	}
	err := s.at.failure()
	switch {
	case err == nil, errors.Is(err, errNoRoom):
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

// rejoin joins another arrival of what the handle reads.
func (s *stream) rejoin() (*arrival, error) {
	for {
		e := s.expected
		if s.version != nil {
			e = expectation{since: ^uint64(0), meta: *s.version}
		}
		renamed := false
		a, err := s.m.join(s.node, e, func(a *arrival) {
			a.addHandle()
			renamed = s.bindRenamed()
		})
		if a == nil || !renamed {
			return a, err
		}
		s.part(a)
	}
}

// part takes the handle away from an arrival.
func (s *stream) part(a *arrival) {
	a.leave(&a.handles, false)
	a.release()
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
	case (s.m.tree.Node(n.ID) != n || !present(n)) && errors.Is(err, errGiven):
		return fs.ErrNotExist
	case s.m.tree.Node(n.ID) != n || !present(n):
		return err
	case n.Content() == tree.Owned && s.version != nil && !n.Meta.SameVersion(*s.version):
		return ErrChanged
	}
	path := n.Path()
	if n.Content() == tree.Owned && n.Copy().Landing != "" {
		path = n.Copy().Landing // under the node's name is what it replaces, or nothing
	}
	local, err := s.m.local.OpenFile(path, 0, 0)
	if err == nil {
		s.local = local
	}
	return err
}

// want has all that arrives brought.
func (s *stream) want() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at.want()
}

// Size is the length of the version.
func (s *stream) Size() (int64, error) {
	for attempt := 1; ; attempt++ {
		size, err := s.trySize()
		if !errors.Is(err, errGiven) && !errors.Is(err, ErrChanged) || attempt == fetchAttempts || s.bound() {
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
	for _, known := range []chan struct{}{a.begun, a.done} {
		select {
		case <-known:
		case <-s.m.ctx.Done():
			return 0, s.m.ctx.Err()
		}
		if a.meta.Size > 0 {
			break // one that is stated to be empty has its length at the end
		}
	}
	return a.size()
}

// Stat describes the local file.
func (s *stream) Stat() (localdir.Info, error) {
	_, local, err := s.source()
	switch {
	case err != nil:
		return localdir.Info{}, err
	case local != nil:
		return local.Stat()
	}
	return s.at.current().Stat()
}

// shown is the metadata of what is arriving; not that of a local file.
func (s *stream) shown() (meta tree.Meta, arriving bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if s.local != nil || s.at.isGiven() {
		return meta, false
	}
	meta = s.node.Shown()
	version, known := s.at.version()
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

// Close gives up the arrival, which may go on.
func (s *stream) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at.leave(&s.at.handles, true)
	s.at.awaitRest(s.m.ctx)
	s.at.release()
	if s.local != nil {
		return s.local.Close()
	}
	return nil
}

// readRemote reads on the remote, for there is no room.
func (a *arrival) readRemote(ctx context.Context, p []byte, off int64) (int, error) {
	unstated := a.meta.Size == 0
	size := min(int64(len(p)), a.meta.Size-off)
	if size <= 0 && !unstated {
		return 0, io.EOF
	}
	own, err := remote.Await(ctx, func() ([]byte, error) {
		if unstated {
			return a.readUnstated(ctx, len(p), off)
		}
		own := make([]byte, size)
		return own, a.far.use(ctx, a.openAnother, func(f afero.File) error {
			if err := readAlone(f, own, off); err != nil || off+size < a.meta.Size {
				return err
			}
			return a.check(f)
		})
	})
	if err != nil {
		return 0, err
	}
	a.m.counted.fetchedBytes.Add(int64(len(own)))
	return copy(p, own), nil
}

// read reads what is here of the file from off on, or has it brought and waits.
func (a *arrival) read(s *stream, p []byte, off int64) (int, error) {
	window := s.readAhead(off)
	for {
		a.mu.Lock()
		news := a.news
		got := a.look(off, int64(len(p)))
		got.file = a.file
		if got.wait {
			a.need(off, max(int64(len(p)), window))
		}
		a.mu.Unlock()
		switch {
		case got.wait:
			select {
			case <-news:
			case <-a.done:
			case <-s.m.ctx.Done():
				return 0, s.m.ctx.Err()
			}
			continue
		case got.err != nil:
			return 0, got.err
		case got.check:
			if err := s.check(a); err != nil && isClosed(a.done) {
				continue
			} else if err != nil {
				return 0, err
			}
		}
		n, err := got.file.ReadAt(p[:got.n], off)
		if a.holds(off, got.n) {
			return n, err
		}
	}
}

// readAhead is how much a handle is to be given of what is not here: more, if it reads on where it was.
func (s *stream) readAhead(off int64) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if off == s.next && off > 0 {
		s.window = min(max(2*s.window, 2*leastRequest), mostAhead)
	} else {
		s.window = 0
	}
	return s.window
}

// check looks whether what the handle has read so far is of one version.
func (s *stream) check(a *arrival) error {
	s.mu.Lock()
	unchecked := s.unchecked
	s.unchecked = false
	s.mu.Unlock()
	if !unchecked {
		return nil
	}
	_, err := remote.Await(s.m.ctx, func() (struct{}, error) { return struct{}{}, a.check(a.src) })
	if errors.Is(err, ErrChanged) {
		a.abort(err)
	}
	return err
}

// sight is what a reader finds.
type sight struct {
	file  *localdir.File
	n     int64 // bytes that are here
	wait  bool
	check bool // the end is here, and what is before it is not whole yet: is it still the same version?
	err   error
}

// look says what of size bytes from off on can be read now. The last byte is held back until the version is known to
// be one. a.mu is held.
func (a *arrival) look(off, size int64) sight {
	ended := isClosed(a.done)
	switch {
	case a.state == given:
		return sight{n: size}
	case a.file == nil || !isClosed(a.begun):
		return sight{wait: a.state != failed, err: a.err}
	case off >= a.end && a.state == failed:
		return sight{err: a.err}
	case off >= a.end && (ended || a.arrived < a.end):
		return sight{err: io.EOF}
	case off >= a.end:
		return sight{wait: true}
	}
	end := min(a.here(off), off+size)
	switch {
	case end == off && a.state == failed:
		return sight{err: a.err}
	case end == off:
		return sight{wait: true}
	case end < a.end || a.state == whole && ended:
		return sight{n: end - off}
	case a.state == failed:
		return sight{err: a.err}
	case a.arrived == a.end:
		return sight{wait: true}
	}
	return sight{n: end - off, check: true}
}

// holds says whether bytes that were read were there: what did not come in order is thrown away at the end.
func (a *arrival) holds(off, size int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state == given || a.here(off) >= off+size
}

// here is up to where the file is here from off on. a.mu is held.
func (a *arrival) here(off int64) int64 {
	if off < a.arrived {
		off = a.arrived
	}
	return a.ahead.end(off)
}

// size is the length of what arrives. It has begun.
func (a *arrival) size() (int64, error) {
	a.mu.Lock()
	state, file, size, err := a.state, a.file, a.end, a.err
	a.mu.Unlock()
	switch {
	case state == given:
		info, err := file.Stat()
		return info.Size(), err
	case state == failed && !errors.Is(err, errNoRoom):
		return 0, err
	}
	return size, nil
}

// addHandle adds a handle. The mirror is locked.
func (a *arrival) addHandle() {
	a.handles++
	a.hold()
}

// isGiven says whether the temporary file is the node's own by now.
func (a *arrival) isGiven() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state == given
}

// current is the file that its handles read.
func (a *arrival) current() *localdir.File {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.file
}

// failure is the error of an arrival that has failed.
func (a *arrival) failure() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.state == failed {
		return a.err
	}
	return nil
}
