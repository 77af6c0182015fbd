package mirror

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sync"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/remote"
)

const (
	// leastRequest is how much is asked for at least: less takes as long.
	leastRequest = 32 << 10
	// mostAhead is how much a handle that reads on from a far place is given at once.
	mostAhead = 4 << 20
	// soon is how far behind what has arrived a reader waits for a transfer that is under way.
	soon = 1 << 20
	// mostHole is how far behind what has arrived a file in memory is written: what is between takes memory before it comes.
	mostHole = 64 << 20
	// farFilesMost is how many files an arrival opens beside the first, where one can't be read at several places.
	farFilesMost = 16
)

// need has bytes brought that are not here, and that nobody else has asked for: by the transfer, if it is close, else by
// a request of their own. a.mu is held.
func (a *arrival) need(off, size int64) {
	near := off <= a.arrived
	if isClosed(a.wanted) {
		near = off <= a.arrived+soon
	}
	switch {
	case !isClosed(a.begun) || a.state != arriving || a.quiet || off >= a.meta.Size:
		return // it is told what becomes of it
	case near || a.inOrder || off > a.arrived+mostHole && a.into.InMemory():
		a.wantLocked()
		return
	case slices.ContainsFunc(a.asked, func(s span) bool { return s.from <= off && off < s.to }):
		return
	}
	to := min(off+max(size, leastRequest), a.meta.Size)
	s := span{off, a.ahead.next(off, to)}
	a.asked = append(a.asked, s)
	a.requests.Add(1)
	go a.bring(s)
}

// bring makes one request.
func (a *arrival) bring(s span) {
	defer a.requests.Done()
	buf := make([]byte, s.to-s.from)
	err := a.readFar(buf, s.from)
	if err == nil {
		a.m.counted.fetchedBytes.Add(int64(len(buf)))
		if _, err = a.put(buf, s.from); err != nil {
			a.abort(room(err))
		}
	}
	inOrder := errors.Is(err, errNotFar)
	if err != nil && !inOrder {
		a.abort(err)
	}
	a.change(func() {
		a.asked = slices.DeleteFunc(a.asked, func(o span) bool { return o == s })
		if err == nil {
			a.ahead = a.ahead.with(s)
		}
		if inOrder {
			a.inOrder = true
			a.wantLocked()
		}
	})
}

// refuseRequests ends those that are under way.
func (a *arrival) refuseRequests() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.quiet = true
	if len(a.asked) > 0 {
		a.cancel()
	}
}

// endRequests waits for those that are under way, and has no more made.
func (a *arrival) endRequests() {
	a.mu.Lock()
	a.quiet = true
	a.mu.Unlock()
	a.requests.Wait()
}

// errNotFar says that a remote's file can be read in order only.
var errNotFar = errors.New("cannot be read there")

// readFar reads from the version that is arriving.
func (a *arrival) readFar(buf []byte, off int64) error {
	if remote.ReadsAtOnce(a.src) {
		return a.readChecked(a.src, buf, off)
	}
	err := a.far.use(a.m.ctx, a.openAnother, func(f afero.File) error { return a.readChecked(f, buf, off) })
	var opening *openError
	if errors.As(err, &opening) {
		return fmt.Errorf("%w: %w", errNotFar, err) // renamed or replaced; the first file is still open
	}
	return err
}

// readChecked reads, and looks whether the version is still the same. That is done at the same time, and after what is
// at the end of the file: nothing may follow that.
func (a *arrival) readChecked(f afero.File, buf []byte, off int64) error {
	readFull := readFull
	if !remote.ReadsAtOnce(f) {
		readFull = readAlone
	}
	if off+int64(len(buf)) == a.meta.Size {
		if err := readFull(f, buf, off); err != nil {
			return err
		}
		return a.check(f)
	}
	checked := make(chan error, 1)
	go func() { checked <- a.check(f) }()
	err := readFull(f, buf, off)
	return cmp.Or(<-checked, err)
}

// check looks whether an open file of the remote is still of the version that is arriving.
func (a *arrival) check(f afero.File) error {
	fi, err := f.Stat()
	if err != nil {
		return remote.Error(err)
	}
	if !remote.MetaOf(fi).SameVersion(a.meta) {
		return fmt.Errorf("%w: %s", ErrChanged, "it was written while it was read")
	}
	return nil
}

// readFull fills buf from a place that is in the file.
func readFull(f afero.File, buf []byte, off int64) error {
	for done := 0; done < len(buf); {
		n, err := f.ReadAt(buf[done:], off+int64(done))
		done += max(n, 0)
		switch err := remote.Error(err); {
		case done == len(buf):
		case err == nil && n == 0, errors.Is(err, io.EOF):
			return remote.Unavailable(fmt.Errorf("at %d: %w", off+int64(done), io.ErrUnexpectedEOF))
		case errors.Is(err, remote.ErrUnavailable), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
			return err
		case err != nil:
			return fmt.Errorf("%w: %w", errNotFar, err) // reading in order will tell whether it can be read at all
		}
	}
	return nil
}

// readAlone is readFull for a file that nobody else uses: one that has no ReadAt is read from where it is wound to.
func readAlone(f afero.File, buf []byte, off int64) error {
	err := readFull(f, buf, off)
	if !errors.Is(err, errNotFar) {
		return err
	}
	if _, seekErr := f.Seek(off, io.SeekStart); seekErr != nil {
		return err
	}
	if _, err := io.ReadFull(f, buf); err != nil {
		return remote.Error(err)
	}
	return nil
}

// farFiles are files of the remote, of one version, of which each is read at one place at a time.
type farFiles struct {
	slots chan struct{}   // holds a token for each that is in use
	free  chan afero.File // those that are not

	mu   sync.Mutex
	made int // how many there are; guarded by mu
}

func newFarFiles() *farFiles {
	return &farFiles{slots: make(chan struct{}, farFilesMost), free: make(chan afero.File, farFilesMost)}
}

// use calls do with a file that nobody else uses. If there is none it is opened; if that fails, because the file was renamed
// or replaced since, one that is in use is waited for. The error is an openError if there is none.
func (p *farFiles) use(ctx context.Context, open func() (afero.File, error), do func(afero.File) error) error {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.slots }()
	f, err := p.take(ctx, open)
	if err != nil {
		return err
	}
	err = do(f)
	p.free <- f
	return err
}

func (p *farFiles) take(ctx context.Context, open func() (afero.File, error)) (afero.File, error) {
	select {
	case f := <-p.free:
		return f, nil
	default:
	}
	f, err := open()
	p.mu.Lock()
	if err == nil {
		p.made++
	}
	made := p.made
	p.mu.Unlock()
	switch {
	case err == nil:
		return f, nil
	case made == 0:
		return nil, &openError{err}
	}
	select {
	case f := <-p.free:
		return f, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// add adds an open file.
func (p *farFiles) add(f afero.File) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made++
	p.free <- f
}

// close closes the files. None is in use.
func (p *farFiles) close() {
	for {
		select {
		case f := <-p.free:
			_ = f.Close()
		default:
			return
		}
	}
}

// openError is that of a file which could not be opened.
type openError struct{ error }

func (e *openError) Unwrap() error { return e.error }

// openAnother opens the file once more, if it is still the version that is arriving.
func (a *arrival) openAnother() (afero.File, error) {
	m := a.m
	m.mu.Lock()
	from, around := a.node.RemotePath(), m.view().detours()
	m.mu.Unlock()
	if from == "" {
		return nil, fs.ErrNotExist
	}
	f, err := around.open(m, from)
	if err != nil {
		return nil, err
	}
	if err := a.check(f); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
