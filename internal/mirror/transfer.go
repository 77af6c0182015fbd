package mirror

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

const (
	// chunkSize is how much is read at once of a remote's file that can't write itself, and written at once.
	chunkSize = 256 << 10
	// mostUnwritten bounds how much may have come of all files and not be written yet: as much as comes at once over a
	// long line.
	mostUnwritten = 16 << 20
	// mostInMemory bounds a copy in an afero.MemMapFs, which cannot say that there is no room: a server may state any size,
	// and send bytes without end.
	mostInMemory = 1 << 30
)

// transfer is what of an arrival comes in order. What has come is written by another goroutine, so that the remote is
// asked for more at once.
type transfer struct {
	a       *arrival
	file    *localdir.File
	early   *early        // brings it already; may be nil
	came    int64         // bytes, from the start
	ended   error         // why no more is taken
	pieces  chan []byte   // what has come and is to be written; each has a place in unwritten
	broken  chan struct{} // closed when writing has failed
	checked chan error    // gets whether the version is still the same, once all has come

	// The rest is the writing goroutine's, while there is one.
	hash  hash.Hash
	off   int64         // bytes that are written
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
	if err := inMemory(file, a.meta.Size); err != nil {
		_ = file.Close()
		a.m.removeTemp(temp)
		return nil, err
	}
	if err := a.useTemp(temp, file); err != nil {
		return nil, err
	}
	t := &transfer{a: a, file: file, hash: sha256.New(), came: int64(len(head))}
	return t, t.put(head)
}

// useTemp makes a file the one that the bytes arrive in, unless its handles have got another one.
func (a *arrival) useTemp(temp string, file *localdir.File) error {
	late := false
	a.change(func() {
		if late = a.state == given; !late {
			a.temp, a.into, a.file, a.files = temp, file, file, append(a.files, file)
		}
	})
	if late {
		_ = file.Close()
		a.m.removeTemp(temp)
		return errGiven
	}
	return nil
}

// run brings what is missing, and checks that what arrived is one whole version.
func (t *transfer) run() (copied, error) {
	defer t.awaitNote()
	a := t.a
	if t.came < a.meta.Size {
		select {
		case <-a.wanted:
		case <-a.m.ctx.Done():
			return copied{}, a.m.ctx.Err()
		}
	}
	if err := t.copy(); err != nil {
		return copied{}, err
	}
	info, err := t.file.Stat()
	if err != nil {
		return copied{}, err
	}
	got := copied{meta: a.meta, stamp: stampOf(info), at: a.m.Now()}
	t.hash.Sum(got.hash[:0])
	a.change(func() {
		a.end = t.off
		if a.state == arriving {
			a.state = whole
		}
	})
	return got, nil
}

// copy brings what is missing, checks the version once it has come, and has it last.
func (t *transfer) copy() error {
	a := t.a
	if a.meta.Size == 0 {
		return t.copyUnstated()
	}
	if t.came == a.meta.Size {
		checked := make(chan error, 1)
		go func() { checked <- a.check(a.src) }()
		err := t.last()
		return cmp.Or(room(err), <-checked)
	}
	t.pieces, t.broken = make(chan []byte, cap(a.m.unwritten)), make(chan struct{})
	written := make(chan struct{})
	go func() {
		defer close(written)
		t.write()
	}()
	var err error
	w, writes := a.src.(io.WriterTo)
	switch {
	case t.early != nil:
		err = t.early.give(t)
	case writes:
		a.m.ExpectBytes(a.meta.Size - t.came)
		_, err = w.WriteTo(t)
	default:
		_, err = io.CopyBuffer(t, a.src, make([]byte, min(chunkSize, a.meta.Size-t.came)))
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
		return room(t.err)
	case t.ended == errWhole:
		return checked
	case t.ended != nil:
		return t.ended
	case err != nil:
		return remote.Error(err)
	}
	if err := a.check(a.src); err != nil {
		return err
	}
	return remote.Unavailable(fmt.Errorf("%d of %d bytes arrived: %w", t.came, a.meta.Size, io.ErrUnexpectedEOF))
}

// errWhole ends what brings a version once all of it has come. Whether more follows is told by the check.
var errWhole = errors.New("all has come")

// Write takes what comes next.
func (t *transfer) Write(p []byte) (n int, err error) {
	a := t.a
	if t.ended == nil && int64(len(p)) > a.meta.Size-t.came { // that there is room for more has not been asked
		t.ended = fmt.Errorf("%w: it grew during the fetch", ErrChanged)
	}
	for t.ended == nil && n < len(p) {
		select {
		case a.m.unwritten <- struct{}{}:
			own := buffers.Borrow(min(len(p)-n, chunkSize))
			n += copy(own, p[n:])
			t.came += int64(len(own))
			t.pieces <- own
		case <-t.broken:
			t.ended = errBroken
		case <-a.m.ctx.Done():
			t.ended = a.m.ctx.Err()
		}
	}
	if t.ended == nil && t.came == a.meta.Size {
		t.whole()
	}
	return n, t.ended
}

// errBroken ends what brings a version that cannot be written.
var errBroken = errors.New("it cannot be written")

// whole is called once all has come: only now can it be told that it is of one version.
func (t *transfer) whole() {
	t.ended = errWhole
	close(t.pieces)
	t.checked = make(chan error, 1)
	go func() { t.checked <- t.a.check(t.a.src) }()
}

// write writes what comes, and has it last if that is all.
func (t *transfer) write() {
	for p := range t.pieces {
		if t.err == nil {
			if t.err = t.put(p); t.err != nil {
				close(t.broken)
			}
		}
		buffers.GiveBack(p)
		<-t.a.m.unwritten
	}
	if t.err == nil && t.off == t.a.meta.Size {
		t.err = t.last()
	}
}

// last has the bytes last once all of them are written: the name must not last longer.
func (t *transfer) last() error {
	t.a.endRequests() // they write, too
	return t.file.Sync()
}

// put writes what is next.
func (t *transfer) put(p []byte) error {
	a := t.a
	n, err := a.put(p, t.off)
	a.m.counted.fetchedBytes.Add(int64(n))
	t.hash.Write(p[:n])
	t.off += int64(n)
	a.change(func() { a.arrived = t.off })
	if err == nil && t.off-t.noted.length() >= noteEvery && t.off < a.meta.Size {
		t.noteMeanwhile()
	}
	return err
}

// put writes to the temporary file, as long as that is of use.
func (a *arrival) put(p []byte, off int64) (int, error) {
	a.mu.Lock()
	file, late := a.into, a.state == given
	a.mu.Unlock()
	if late {
		return 0, errGiven
	}
	if err := inMemory(file, off+int64(len(p))); err != nil {
		return 0, err
	}
	return file.WriteAt(p, off)
}

// inMemory is syscall.ENOSPC if a file is in memory and would get too large for that.
func inMemory(file *localdir.File, size int64) error {
	if size > mostInMemory && file.InMemory() {
		return fmt.Errorf("%w: a copy in memory has %d bytes at most", syscall.ENOSPC, int64(mostInMemory))
	}
	return nil
}

// errGiven ends an arrival that is of no use any more: the node has other bytes by now, or is gone.
var errGiven = errors.New("the file was changed")

// give has the handles of an arrival read a local file of the node's from now on. Nothing more arrives; the temporary file
// may be written still, for nobody.
func (a *arrival) give(file *localdir.File) (temp string) {
	a.change(func() {
		a.state, a.file, a.files = given, file, append(a.files, file)
		temp = a.temp
	})
	a.abort(errGiven)
	return temp
}

// room turns a full disk into errNoRoom.
func room(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", errNoRoom, err)
	}
	return err
}
