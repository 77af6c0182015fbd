package download

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"syscall"

	"github.com/sftpsyncer/go-syncfs/internal/buffers"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
)

// mostInMemory bounds a copy in an afero.MemMapFs, which never reports a full disk. A server may state any size, and
// may send bytes without end.
const mostInMemory = 1 << 30

// transfer is the part of a download that arrives in order. A second goroutine writes the bytes, so that the next ones
// are requested meanwhile.
type transfer struct {
	d       *Download
	file    *localdir.File
	early   *early        // requests the bytes already; may be nil
	came    int64         // bytes that have arrived, from the start
	ended   error         // why Write accepts no more
	pieces  chan []byte   // bytes to be written; each has a token in unwritten
	broken  chan struct{} // closed when writing has failed
	checked chan error    // receives the result of the version check after the last byte

	// The writing goroutine owns the rest while it runs.
	hash  hash.Hash
	off   int64         // bytes that are written
	noted *Partial      // the last note on disk
	next  chan *Partial // receives the note being written, nil if that failed; nil: none is being written
	err   error         // of the local file, as opposed to the remote's

	info   localdir.Info // of the whole file
	synced bool          // the whole file
}

// begin makes the partial file, or the head, the beginning of the temporary file.
func (d *Download) begin(p *Partial, head []byte) (t *transfer, err error) {
	if p != nil {
		if t, err = d.resume(p); err != nil {
			d.store.remove(p.temp)
			if d.ctx.Err() != nil {
				return nil, err
			}
			d.store.logger.Warn("not resumed", "name", d.file.From, "err", err)
		}
	}
	if t == nil {
		if t, err = d.startAnew(head); err != nil {
			return nil, Room(err)
		}
	}
	d.change(func() {
		d.arrived = t.off
		d.Begun.happen()
	})
	return t, nil
}

func (d *Download) startAnew(head []byte) (*transfer, error) {
	dir := localdir.TmpDir
	if d.version.Size > leastPartial {
		dir = localdir.PartialDir
	}
	temp := dir + "/" + d.file.Temp
	file, err := d.store.local.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, d.version.Mode.Perm()|0o600)
	if err != nil {
		return nil, err
	}
	if err := inMemory(file, d.version.Size); err != nil {
		_ = file.Close()
		d.store.remove(temp)
		return nil, err
	}
	if err := d.useTemp(temp, file); err != nil {
		return nil, err
	}
	t := &transfer{d: d, file: file, hash: sha256.New(), came: int64(len(head))}
	return t, t.put(head)
}

// useTemp makes file the target of the download, unless the download has been handed over.
func (d *Download) useTemp(temp string, file *localdir.File) error {
	late := false
	d.change(func() {
		if late = d.state == handedOver; !late {
			d.temp, d.into, d.current, d.files = temp, file, file, append(d.files, file)
		}
	})
	if late {
		_ = file.Close()
		d.store.remove(temp)
		return ErrSuperseded
	}
	return nil
}

// run brings what is missing, and checks that what arrived is one whole version.
func (t *transfer) run() (Copy, error) {
	defer t.awaitNote()
	d := t.d
	if t.came < d.version.Size {
		select {
		case <-d.wanted:
		case <-d.ctx.Done():
			return Copy{}, d.ctx.Err()
		}
	}
	if err := t.copy(); err != nil {
		return Copy{}, err
	}
	c := Copy{Version: d.version, Info: t.info, Synced: t.synced, Temp: d.temp, Began: d.began, Ended: d.store.now()}
	t.hash.Sum(c.Hash[:0])
	var err error // of a request of its own, after the last bytes in order
	d.change(func() {
		d.end = t.off
		if err = d.err; d.state == arriving && err == nil {
			d.state = whole
		}
	})
	return c, err
}

// copy transfers the missing bytes, checks the version when they have arrived, and syncs the file.
func (t *transfer) copy() error {
	d := t.d
	if d.version.Size == 0 {
		return t.copyUnstated()
	}
	if t.came == d.version.Size {
		checked := make(chan error, 1)
		go func() { checked <- d.check(d.src) }()
		err := t.last()
		return cmp.Or(Room(err), <-checked)
	}
	t.pieces, t.broken = make(chan []byte, cap(d.store.unwritten)), make(chan struct{})
	written := make(chan struct{})
	go func() {
		defer close(written)
		t.write()
	}()
	var err error
	w, writes := d.src.(io.WriterTo)
	switch {
	case t.early != nil:
		err = t.early.give(t)
	case writes:
		d.source.Expect(d.version.Size - t.came)
		_, err = w.WriteTo(t)
	default:
		_, err = io.CopyBuffer(t, d.src, make([]byte, min(buffers.Chunk, d.version.Size-t.came)))
	}
	var checked error
	if t.ended == errWhole {
		checked = <-t.checked
	} else {
		close(t.pieces)
	}
	<-written
	switch {
	case t.err != nil:
		return Room(t.err)
	case t.ended == errWhole:
		return checked
	case t.ended != nil:
		return t.ended
	case err != nil:
		return remote.Error(err)
	}
	if err := d.check(d.src); err != nil {
		return err
	}
	return remote.Unavailable(fmt.Errorf("%d of %d bytes arrived: %w", t.came, d.version.Size, io.ErrUnexpectedEOF))
}

// errWhole ends the transfer when all bytes have arrived. The version check tells whether the file has more.
var errWhole = errors.New("all has come")

// Write takes the next bytes.
func (t *transfer) Write(p []byte) (n int, err error) {
	d := t.d
	if t.ended == nil && int64(len(p)) > d.version.Size-t.came { // no room was reserved for more
		t.ended = fmt.Errorf("%w: it grew during the fetch", ErrChanged)
	}
	for t.ended == nil && n < len(p) {
		select {
		case d.store.unwritten <- struct{}{}:
			own := buffers.Borrow(min(len(p)-n, buffers.Chunk))
			n += copy(own, p[n:])
			t.came += int64(len(own))
			t.pieces <- own
		case <-t.broken:
			t.ended = errBroken
		case <-d.ctx.Done():
			t.ended = d.ctx.Err()
		}
	}
	if t.ended == nil && t.came == d.version.Size {
		t.whole()
	}
	return n, t.ended
}

// errBroken ends a transfer whose bytes can't be written.
var errBroken = errors.New("it cannot be written")

// whole starts the version check. Only a check after the last byte shows that all bytes are of one version.
func (t *transfer) whole() {
	t.ended = errWhole
	close(t.pieces)
	t.checked = make(chan error, 1)
	go func() { t.checked <- t.d.check(t.d.src) }()
}

// write writes the bytes that arrive, and syncs the file after the last one.
func (t *transfer) write() {
	for p := range t.pieces {
		if t.err == nil {
			if t.err = t.put(p); t.err != nil {
				close(t.broken)
			}
		}
		buffers.GiveBack(p)
		<-t.d.store.unwritten
	}
	if t.err == nil && t.off == t.d.version.Size {
		t.err = t.last()
	}
}

// leastSynced is the size in bytes from which every copy is synced. A smaller one is proven by its hash after a loss of
// power, because reading it again costs less than an fsync.
const leastSynced = 1 << 20

// last ends the writing. It syncs the file if it is large, or if its stamp can't show later that nobody has changed what a
// loss of power has left of it.
func (t *transfer) last() (err error) {
	t.d.endRequests() // they write, too
	if t.info, err = t.file.Stat(); err != nil {
		return err
	}
	if stamp := t.info.Stamp; t.off < leastSynced && stamp.Ino != 0 && stamp.CTime != 0 {
		return nil
	}
	t.synced = true
	return t.file.Sync()
}

// put writes the next bytes.
func (t *transfer) put(p []byte) error {
	d := t.d
	n, err := d.put(p, t.off)
	d.store.received.Add(int64(n))
	t.hash.Write(p[:n])
	t.off += int64(n)
	d.change(func() { d.arrived = t.off })
	if err == nil && t.off-t.noted.length() >= noteEvery && t.off < d.version.Size {
		t.noteMeanwhile()
	}
	return err
}

// put writes to the temporary file, unless the download has been handed over.
func (d *Download) put(p []byte, off int64) (int, error) {
	d.mu.Lock()
	file, late, ended := d.into, d.state == handedOver, d.err
	d.mu.Unlock()
	switch {
	case late:
		return 0, ErrSuperseded
	case ended != nil:
		return 0, ended
	}
	if err := inMemory(file, off+int64(len(p))); err != nil {
		return 0, err
	}
	return file.WriteAt(p, off)
}

// inMemory returns syscall.ENOSPC for a file in memory that would get larger than mostInMemory.
func inMemory(file *localdir.File, size int64) error {
	if size > mostInMemory && file.InMemory() {
		return fmt.Errorf("%w: a copy in memory has %d bytes at most", syscall.ENOSPC, int64(mostInMemory))
	}
	return nil
}
