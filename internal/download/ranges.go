package download

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

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
)

// need has bytes brought that are not here, and that nobody else has asked for: by the transfer, if it is close, else by
// a request of their own. d.mu is held.
func (d *Download) need(off, size int64) {
	near := off <= d.arrived
	if d.wanted.Happened() {
		near = off <= d.arrived+soon
	}
	switch {
	case !d.Begun.Happened() || d.state != arriving || d.quiet || off >= d.version.Size:
		return // it is told what becomes of it
	case near || d.inOrder || off > d.arrived+mostHole && d.into.InMemory():
		d.wanted.happen()
		return
	case slices.ContainsFunc(d.asked, func(s span) bool { return s.from <= off && off < s.to }):
		return
	}
	to := min(off+max(size, leastRequest), d.version.Size)
	s := span{off, d.ahead.next(off, to)}
	d.asked = append(d.asked, s)
	d.requests.Add(1)
	go d.bring(s)
}

// bring makes one request.
func (d *Download) bring(s span) {
	defer d.requests.Done()
	buf := make([]byte, s.to-s.from)
	err := d.readRange(buf, s.from)
	if err == nil {
		d.store.received.Add(int64(len(buf)))
		if _, err = d.put(buf, s.from); err != nil {
			d.Abort(Room(err))
		}
	}
	inOrder := errors.Is(err, errInOrderOnly)
	if err != nil && !inOrder {
		d.Abort(err)
	}
	d.change(func() {
		d.asked = slices.DeleteFunc(d.asked, func(o span) bool { return o == s })
		if err == nil {
			d.ahead = d.ahead.with(s)
		}
		if inOrder {
			d.inOrder = true
			d.wanted.happen()
		}
	})
}

// refuseRequests ends those that are under way.
func (d *Download) refuseRequests() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.quiet = true
	if len(d.asked) > 0 {
		d.cancel()
	}
}

// endRequests waits for those that are under way, and has no more made.
func (d *Download) endRequests() {
	d.mu.Lock()
	d.quiet = true
	d.mu.Unlock()
	d.requests.Wait()
}

// errInOrderOnly says that a remote's file can be read in order only.
var errInOrderOnly = errors.New("cannot be read there")

// readRange reads from the version that is arriving.
func (d *Download) readRange(buf []byte, off int64) error {
	if remote.ReadsAtOnce(d.src) {
		return d.readChecked(d.src, buf, off)
	}
	err := d.pool.use(d.ctx, d.openAnother, func(f afero.File) error { return d.readChecked(f, buf, off) })
	var opening *openError
	if errors.As(err, &opening) {
		return fmt.Errorf("%w: %w", errInOrderOnly, err) // renamed or replaced; the first file is still open
	}
	return err
}

// readChecked reads, and looks whether the version is still the same. That is done at the same time, and after what is
// at the end of the file: nothing may follow that.
func (d *Download) readChecked(f afero.File, buf []byte, off int64) error {
	readFull := readFull
	if !remote.ReadsAtOnce(f) {
		readFull = readAlone
	}
	if off+int64(len(buf)) == d.version.Size {
		if err := readFull(f, buf, off); err != nil {
			return err
		}
		return d.check(f)
	}
	checked := make(chan error, 1)
	go func() { checked <- d.check(f) }()
	err := readFull(f, buf, off)
	return cmp.Or(<-checked, err)
}

// check looks whether an open file of the remote is still of the version that is arriving.
func (d *Download) check(f afero.File) error {
	fi, err := f.Stat()
	if err != nil {
		return remote.Error(err)
	}
	if !remote.MetaOf(fi).SameVersion(d.version) {
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
			return fmt.Errorf("%w: %w", errInOrderOnly, err) // reading in order will tell whether it can be read at all
		}
	}
	return nil
}

// readAlone is readFull for a file that nobody else uses: one that has no ReadAt is read from where it is wound to.
func readAlone(f afero.File, buf []byte, off int64) error {
	err := readFull(f, buf, off)
	if !errors.Is(err, errInOrderOnly) {
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

// openAnother opens the file once more, if it is still the version that is arriving.
func (d *Download) openAnother() (afero.File, error) {
	f, err := d.source.Reopen()
	if err != nil {
		return nil, err
	}
	if err := d.check(f); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
