package download

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"time"
)

const (
	// leastPartial is the smallest number of bytes that is kept for later.
	leastPartial = 1 << 20
	// noteEvery is how many bytes arrive between two notes. It bounds what is lost if the process is killed.
	noteEvery = 64 << 20
)

// Partial is the beginning of a file that was not downloaded to its end. It stays in its temporary file. A note beside
// that file holds the exported fields.
type Partial struct {
	From   []byte // path on the remote
	Size   int64  // of the version
	MTime  int64
	Length int64  // bytes that have arrived
	Sum    []byte // SHA-256 of these bytes, to detect damage by a power failure
	Began  int64  // when the first byte was requested, in nanoseconds since 1970; 0: not recorded

	temp string
}

func (p *Partial) length() int64 {
	if p == nil {
		return 0
	}
	return p.Length
}

// arrived describes the bytes that have arrived in order.
func (t *transfer) arrived() *Partial {
	d := t.d
	return &Partial{From: []byte(d.file.From), Size: d.version.Size, MTime: d.version.MTime, Length: t.off, Sum: t.hash.Sum(nil),
		Began: d.began.UnixNano(), temp: d.temp}
}

// note syncs the temporary file and writes the note beside it.
func (t *transfer) note(p *Partial) error {
	if err := t.file.Sync(); err != nil {
		return err
	}
	return t.d.store.local.WriteJSON(p.temp+noteSuffix, p)
}

// noteMeanwhile writes the note while more bytes arrive, unless an earlier note is still being written.
func (t *transfer) noteMeanwhile() {
	if t.next != nil {
		select {
		case p := <-t.next:
			t.took(p)
		default:
			return
		}
	}
	p, next := t.arrived(), make(chan *Partial, 1)
	t.next = next
	go func() {
		if err := t.note(p); err != nil {
			t.d.store.logger.Warn("what has arrived is not noted", "name", t.d.file.From, "err", err)
			p = nil
		}
		next <- p
	}()
}

// awaitNote waits until the last note is written.
func (t *transfer) awaitNote() {
	if t.next != nil {
		t.took(<-t.next)
	}
}

func (t *transfer) took(p *Partial) {
	if t.next = nil; p != nil {
		t.noted = p
	}
}

// resume continues a partial file if its bytes match the note.
func (d *Download) resume(p *Partial) (*transfer, error) {
	file, err := d.store.local.OpenFile(p.temp, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	t := &transfer{d: d, file: file, hash: sha256.New(), came: p.Length, off: p.Length, noted: p}
	here := io.NewSectionReader(file, 0, p.Length)
	n, err := io.Copy(t.hash, readerFunc(func(b []byte) (int, error) {
		if err := d.ctx.Err(); err != nil {
			return 0, err
		}
		return here.Read(b)
	}))
	if err == nil && (n != p.Length || !bytes.Equal(t.hash.Sum(nil), p.Sum)) {
		err = errors.New("what had arrived is damaged")
	}
	if err == nil {
		_, err = d.src.Seek(p.Length, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if err := d.useTemp(p.temp, file); err != nil {
		return nil, err
	}
	d.began = time.Unix(0, p.Began)
	return t, nil
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// keep makes the bytes that have arrived a partial file, if there are enough of them. It reports whether it did.
func (t *transfer) keep() bool {
	d := t.d
	if t.off < leastPartial || d.version.Size == 0 {
		return false
	}
	d.change(func() { d.ahead = nil })
	err := t.file.Truncate(t.off)
	if err == nil && t.noted.length() != t.off {
		p := t.arrived()
		if err = t.note(p); err == nil {
			t.noted = p
		}
	}
	if err != nil {
		d.store.logger.Warn("what has arrived is not kept", "name", d.file.From, "err", err)
		return false
	}
	return d.owner.Keep(t.noted)
}
