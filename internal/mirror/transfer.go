package mirror

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// chunkSize is how much is read at once of a remote's file that can't write itself.
const chunkSize = 256 << 10

// transfer is what of an arrival comes in order.
type transfer struct {
	a     *arrival
	file  *localdir.File
	hash  hash.Hash
	off   int64
	noted *partial      // what is on record of it
	next  chan *partial // gets what is being put on record meanwhile, nil if that failed; nil: nothing is
	err   error         // of the local file, to be told from one of the remote's
}

// begin makes what is here of the version the beginning of the temporary file.
func (a *arrival) begin(p *partial, head []byte) (t *transfer, err error) {
	if p != nil {
		if t, err = a.resume(p); err != nil {
			a.m.removeTemp(p.temp)
			if a.m.ctx.Err() != nil {
				return nil, err
			}
			a.m.opt.Logger.Warn("not resumed", "name", a.from, "err", err)
		}
	}
	if t == nil {
		if t, err = a.startAnew(head); err != nil {
			return nil, room(err)
		}
	}
	a.change(func() {
		a.arrived = t.off
		close(a.begun)
	})
	return t, nil
}

func (a *arrival) startAnew(head []byte) (*transfer, error) {
	dir := localdir.TmpDir
	if a.meta.Size > leastPartial {
		dir = localdir.PartialDir
	}
	temp := fmt.Sprintf("%s/%016x-%d", dir, uint64(a.node.ID), a.number) // one that was left may still be writing
	file, err := a.m.local.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, a.meta.Mode.Perm()|0o600)
	if err != nil {
		return nil, err
	}
	if err := a.useTemp(temp, file); err != nil {
		return nil, err
	}
	t := &transfer{a: a, file: file, hash: sha256.New()}
	_, err = t.Write(head)
	return t, err
}

// useTemp makes a file the one that the bytes arrive in, unless its handles have got another one.
func (a *arrival) useTemp(temp string, file *localdir.File) error {
	a.writing.Lock()
	defer a.writing.Unlock()
	if a.isGiven() {
		_ = file.Close()
		a.m.removeTemp(temp)
		return errGiven
	}
	a.change(func() { a.temp, a.file, a.files = temp, file, append(a.files, file) })
	return nil
}

// run brings what is missing, and checks that what arrived is one whole version.
func (t *transfer) run() (copied, error) {
	defer t.awaitNote()
	a := t.a
	if t.off < a.meta.Size {
		select {
		case <-a.wanted:
		case <-a.m.ctx.Done():
			return copied{}, a.m.ctx.Err()
		}
		if err := t.copy(); err != nil {
			return copied{}, err
		}
	}
	if err := a.check(a.src); err != nil {
		return copied{}, err
	}
	if t.off != a.meta.Size {
		return copied{}, &unavailable{fmt.Errorf("%d of %d bytes arrived: %w", t.off, a.meta.Size, io.ErrUnexpectedEOF)}
	}
	a.endRequests() // they write, too
	// The name must not last longer than the bytes.
	if err := t.file.Sync(); err != nil {
		return copied{}, room(err)
	}
	info, err := t.file.Stat()
	if err != nil {
		return copied{}, err
	}
	got := copied{meta: a.meta, stamp: stampOf(info), at: a.m.Now()}
	t.hash.Sum(got.hash[:0])
	a.change(func() {
		if a.state == arriving {
			a.state = whole
		}
	})
	return got, nil
}

func (t *transfer) copy() (err error) {
	if w, ok := t.a.src.(io.WriterTo); ok {
		_, err = w.WriteTo(t)
	} else {
		_, err = io.CopyBuffer(t, t.a.src, make([]byte, min(chunkSize, t.a.meta.Size-t.off)))
	}
	if t.err != nil {
		return room(t.err)
	}
	return Remote(err)
}

// Write takes what comes next.
func (t *transfer) Write(p []byte) (int, error) {
	if err := t.a.m.ctx.Err(); err != nil {
		return 0, err
	}
	if int64(len(p)) > t.a.meta.Size-t.off { // that there is room for more has not been asked
		t.err = fmt.Errorf("%w: it grew during the fetch", ErrChanged)
		return 0, t.err
	}
	n, err := t.a.put(p, t.off)
	t.a.m.counted.fetchedBytes.Add(int64(n))
	t.hash.Write(p[:n])
	t.off += int64(n)
	t.a.change(func() { t.a.arrived = t.off })
	if err == nil && t.off-t.noted.length() >= noteEvery && t.off < t.a.meta.Size {
		t.noteMeanwhile()
	}
	t.err = err
	return n, err
}

// put writes to the temporary file, unless that was given away.
func (a *arrival) put(p []byte, off int64) (int, error) {
	a.writing.Lock()
	defer a.writing.Unlock()
	if a.isGiven() {
		return 0, errGiven
	}
	return a.file.WriteAt(p, off)
}

// errGiven ends an arrival that is of no use any more: the node has other bytes by now, or is gone.
var errGiven = errors.New("the file was changed")

// giveAway has the handles of an arrival read what is under a local name from now on: the node's bytes, which begin as what
// has arrived, if anything has. Nothing more arrives.
func (a *arrival) giveAway(name string, mode fs.FileMode) error {
	a.writing.Lock()
	defer a.writing.Unlock()
	a.mu.Lock()
	temp, done := a.temp, a.state == given
	here := temp != "" && !a.dropped && (a.state == arriving || a.state == whole)
	a.mu.Unlock()
	switch {
	case done:
		return nil
	case here:
		if err := a.m.rename(temp, name); err != nil {
			return err
		}
		a.change(func() { a.state = given })
	default:
		file, err := a.m.local.OpenFile(name, os.O_RDWR|os.O_CREATE, mode)
		if err != nil {
			return err
		}
		a.change(func() { a.state, a.file, a.files = given, file, append(a.files, file) })
	}
	a.abort(errGiven)
	return nil
}

// room turns a full disk into errNoRoom.
func room(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", errNoRoom, err)
	}
	return err
}
