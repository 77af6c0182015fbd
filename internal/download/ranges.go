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
	// leastRequest is the smallest request in bytes: a smaller one takes as long.
	leastRequest = 32 << 10
	// mostAhead bounds the bytes that are requested at once for a handle that reads in order from a far place.
	mostAhead = 4 << 20
	// soon is how far beyond the bytes in order a reader waits for the running transfer.
	soon = 1 << 20
	// mostHole is how far beyond the bytes in order a file in memory is written: the gap uses memory.
	mostHole = 64 << 20
)

// need requests missing bytes that nobody else has requested: from the transfer if they are close, else with a request
// of their own. d.mu is held.
func (d *Download) need(off, size int64) {
	near := off <= d.arrived
	if d.wanted.Happened() {
		near = off <= d.arrived+soon
	}
	switch {
	case !d.Begun.Happened() || d.state != arriving || d.quiet || off >= d.version.Size:
		return // the outcome of the download tells the reader
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

// refuseRequests cancels the requests in flight, and prevents new ones.
func (d *Download) refuseRequests() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.quiet = true
	if len(d.asked) > 0 {
		d.cancel()
	}
}

// stopRequests waits for the requests in flight after a download has ended with err. It returns the first error. If there is
// no room, readers continue on the remote; otherwise the requests are cancelled.
func (d *Download) stopRequests(err error) (first error) {
	d.mu.Lock()
	first = cmp.Or(d.err, err)
	d.mu.Unlock()
	if first != nil && !errors.Is(first, ErrNoRoom) {
		d.refuseRequests()
	}
	d.endRequests()
	return first
}

// endRequests waits for the requests in flight, and prevents new ones.
func (d *Download) endRequests() {
	d.mu.Lock()
	d.quiet = true
	d.mu.Unlock()
	d.requests.Wait()
}

// errInOrderOnly: the remote's file can only be read in order.
var errInOrderOnly = errors.New("cannot be read there")

// readRange reads from the version that is being downloaded.
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

// readChecked reads a range and checks that the version is still the same. The check runs in parallel, but for the end
// of the file it runs after the read: no byte may come after the check there.
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

// check checks that an open file of the remote still has the version that is being downloaded.
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

// readFull fills buf from a range that is inside the file.
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
			return fmt.Errorf("%w: %w", errInOrderOnly, err) // reading in order will show whether the file can be read at all
		}
	}
	return nil
}

// readAlone is readFull for a file that nobody else uses. If the file does not support ReadAt, it seeks and reads.
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

// openAnother opens the file once more. It fails if the file has another version.
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
