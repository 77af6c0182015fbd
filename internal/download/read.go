package download

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/lockorder"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
)

// Reader holds the read position of one handle, across downloads. The zero value has read nothing.
type Reader struct {
	mu        lockorder.Mutex[lock] // guards the fields below
	next      int64                 // where the last read ended
	window    int64                 // how many bytes a read requests at once
	unchecked bool                  // bytes were read since the last version check
}

// readAhead returns how many bytes to request if they are missing. The number grows while the reader reads in order.
func (r *Reader) readAhead(off int64) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if off == r.next && off > 0 {
		r.window = min(max(2*r.window, 2*leastRequest), mostAhead)
	} else {
		r.window = 0
	}
	return r.window
}

// has records what was read.
func (r *Reader) has(off int64, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next = off + int64(n)
	r.unchecked = r.unchecked || n > 0
}

// check reports whether bytes were read since the last call of check.
func (r *Reader) check() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	unchecked := r.unchecked
	r.unchecked = false
	return unchecked
}

// Read reads bytes at off. If none have arrived there, it requests them and waits for the first. If there is no room
// for a local copy, it reads from the remote.
func (d *Download) Read(ctx context.Context, r *Reader, p []byte, off int64) (int, error) {
	n, err := d.read(ctx, r, p, off)
	if errors.Is(err, ErrNoRoom) {
		n, err = d.readRemote(ctx, p, off)
	}
	r.has(off, n)
	return n, err
}

func (d *Download) read(ctx context.Context, r *Reader, p []byte, off int64) (int, error) {
	window := r.readAhead(off)
	for {
		d.mu.Lock()
		news := d.news
		got := d.look(off, int64(len(p)))
		got.file = d.current
		if got.wait {
			d.need(off, max(int64(len(p)), window))
		}
		d.mu.Unlock()
		switch {
		case got.wait:
			select {
			case <-news:
			case <-d.Done:
			case <-ctx.Done():
				return 0, ctx.Err()
			}
			continue
		case got.err != nil:
			return 0, got.err
		case got.check && r.check():
			if err := d.checkAlone(ctx); err != nil && d.Done.Happened() {
				continue
			} else if err != nil {
				return 0, err
			}
		}
		n, err := got.file.ReadAt(p[:got.n], off)
		if d.holds(off, got.n) {
			return n, err
		}
	}
}

// checkAlone checks that what a reader has read so far is of one version.
func (d *Download) checkAlone(ctx context.Context) error {
	_, err := remote.Await(ctx, func() (struct{}, error) { return struct{}{}, d.check(d.src) })
	if errors.Is(err, ErrChanged) {
		d.Abort(err)
	}
	return err
}

// readRemote reads from the remote, because there is no room for a local copy.
func (d *Download) readRemote(ctx context.Context, p []byte, off int64) (int, error) {
	unstated := d.version.Size == 0
	size := min(int64(len(p)), d.version.Size-off)
	if size <= 0 && !unstated {
		return 0, io.EOF
	}
	own, err := remote.Await(ctx, func() ([]byte, error) {
		if unstated {
			return d.readUnstated(ctx, len(p), off)
		}
		own := make([]byte, size)
		return own, d.pool.use(ctx, d.openAnother, func(f afero.File) error {
			if err := readAlone(f, own, off); err != nil || off+size < d.version.Size {
				return err
			}
			return d.check(f)
		})
	})
	if err != nil {
		return 0, err
	}
	d.store.received.Add(int64(len(own)))
	return copy(p, own), nil
}

// sight is what a reader finds at an offset.
type sight struct {
	file  *localdir.File
	n     int64 // bytes that have arrived
	wait  bool
	check bool // the end of the file has arrived, but not all before it: the version must be checked
	err   error
}

// look returns what can be read now of size bytes at off. It holds back the last byte of the file until the bytes are
// known to be of one version. d.mu is held.
func (d *Download) look(off, size int64) sight {
	ended := d.Done.Happened()
	switch {
	case d.state == handedOver:
		return sight{n: size}
	case d.current == nil || !d.Begun.Happened():
		return sight{wait: d.state != failed, err: d.err}
	case off >= d.end && d.state == failed:
		return sight{err: d.err}
	case off >= d.end && (ended || d.arrived < d.end):
		return sight{err: io.EOF}
	case off >= d.end:
		return sight{wait: true}
	}
	end := min(d.here(off), off+size)
	switch {
	case end == off && d.state == failed:
		return sight{err: d.err}
	case end == off:
		return sight{wait: true}
	case end < d.end || d.state == whole && ended:
		return sight{n: end - off}
	case d.state == failed:
		return sight{err: d.err}
	case d.arrived == d.end:
		return sight{wait: true}
	}
	return sight{n: end - off, check: true}
}

// holds reports whether a range that was read is still present. Ranges beyond the bytes in order are dropped at the
// end.
func (d *Download) holds(off, size int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state == handedOver || d.here(off) >= off+size
}

// here returns up to which offset the bytes from off on have arrived. d.mu is held.
func (d *Download) here(off int64) int64 {
	if off < d.arrived {
		off = d.arrived
	}
	return d.ahead.end(off)
}

// Size returns the length of the version. It waits until the length is known.
func (d *Download) Size(ctx context.Context) (int64, error) {
	for _, known := range []Event{d.Begun, d.Done} {
		select {
		case <-known:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
		if d.version.Size > 0 {
			break // a file whose stated size is 0 has its length at the end
		}
	}
	d.mu.Lock()
	state, file, size, err := d.state, d.current, d.end, d.err
	d.mu.Unlock()
	switch {
	case state == handedOver:
		info, err := file.Stat()
		return info.Size(), err
	case state == failed && !errors.Is(err, ErrNoRoom):
		return 0, err
	}
	return size, nil
}
