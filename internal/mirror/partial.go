package mirror

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

const (
	// leastPartial is how much of a file must have arrived to be kept for later.
	leastPartial = 1 << 20
	// noteEvery is after how many bytes it is noted what has arrived: a kill loses no more.
	noteEvery = 64 << 20
	// noteSuffix is what the name of a note has after that of its temporary file.
	noteSuffix = ".json"
)

// partial is the beginning of a file that did not arrive whole. It lies in the temporary file in which it arrived, with a
// note beside that says what it is.
type partial struct {
	From   []byte // the path on the remote
	Size   int64  // of the version
	MTime  int64
	Length int64  // how much is here
	Sum    []byte // SHA-256 of that: what the loss of power has damaged is not believed
	Began  int64  // when the first byte was asked for; 0: not noted

	temp string
}

func (p *partial) length() int64 {
	if p == nil {
		return 0
	}
	return p.Length
}

// arrived describes what has arrived in order.
func (t *transfer) arrived() *partial {
	a := t.a
	return &partial{From: []byte(a.from), Size: a.meta.Size, MTime: a.meta.MTime, Length: t.off, Sum: t.hash.Sum(nil),
		Began: a.began.UnixNano(), temp: a.temp}
}

// note writes down what has arrived, and makes it last.
func (t *transfer) note(p *partial) error {
	if err := t.file.Sync(); err != nil {
		return err
	}
	return t.a.m.writeNote(p)
}

// noteMeanwhile does that while more arrives, unless it is still being done for less.
func (t *transfer) noteMeanwhile() {
	if t.next != nil {
		select {
		case p := <-t.next:
			t.took(p)
		default:
			return
		}
	}
	p, next := t.arrived(), make(chan *partial, 1)
	t.next = next
	go func() {
		if err := t.note(p); err != nil {
			t.a.m.opt.Logger.Warn("what has arrived is not noted", "name", t.a.from, "err", err)
			p = nil
		}
		next <- p
	}()
}

// awaitNote waits for the last one that was begun.
func (t *transfer) awaitNote() {
	if t.next != nil {
		t.took(<-t.next)
	}
}

func (t *transfer) took(p *partial) {
	if t.next = nil; p != nil {
		t.noted = p
	}
}

func (m *FS) writeNote(p *partial) error {
	return writeJSON(m.local, p.temp+noteSuffix, p)
}

// resume goes on with a part, if it is what its note says.
func (a *arrival) resume(p *partial) (*transfer, error) {
	file, err := a.m.local.OpenFile(p.temp, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	t := &transfer{a: a, file: file, hash: sha256.New(), came: p.Length, off: p.Length, noted: p}
	here := io.NewSectionReader(file, 0, p.Length)
	n, err := io.Copy(t.hash, readerFunc(func(b []byte) (int, error) {
		if err := a.m.ctx.Err(); err != nil {
			return 0, err
		}
		return here.Read(b)
	}))
	if err == nil && (n != p.Length || !bytes.Equal(t.hash.Sum(nil), p.Sum)) {
		err = errors.New("what had arrived is damaged")
	}
	if err == nil {
		_, err = a.src.Seek(p.Length, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if err := a.useTemp(p.temp, file); err != nil {
		return nil, err
	}
	a.began = time.Unix(0, p.Began)
	return t, nil
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// keep makes a part of what has arrived, if that is worth it. It says whether it has.
func (t *transfer) keep() bool {
	a, m := t.a, t.a.m
	if t.off < leastPartial || a.meta.Size == 0 {
		return false
	}
	a.change(func() { a.ahead = nil })
	err := t.file.Truncate(t.off)
	if err == nil && t.noted.length() != t.off {
		p := t.arrived()
		if err = t.note(p); err == nil {
			t.noted = p
		}
	}
	if err != nil {
		m.opt.Logger.Warn("what has arrived is not kept", "name", a.from, "err", err)
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if a.evicted {
		return false
	}
	m.removePartial(m.partials[a.from])
	m.partials[a.from] = t.noted
	m.transit.set(a, 0)
	m.transit.set(t.noted, t.off)
	return true
}

// takePartial is the part of a version that is here; one of another version is removed. The mirror is locked.
func (m *FS) takePartial(from string, meta tree.Meta) *partial {
	p := m.partials[from]
	if p != nil && (p.Size != meta.Size || p.MTime != meta.MTime) {
		m.removePartial(p)
		return nil
	}
	delete(m.partials, from)
	return p
}

// removePartial deletes a part. The mirror is locked.
func (m *state) removePartial(p *partial) {
	if p == nil {
		return
	}
	delete(m.partials, string(p.From))
	m.transit.set(p, 0)
	m.removeTemp(p.temp)
}

// removeTemp deletes a temporary file, and what is noted about it.
func (m *state) removeTemp(temp string) {
	_ = m.local.Remove(temp)
	_ = m.local.Remove(temp + noteSuffix)
}

// restorePartials takes what is known about the parts that are here, and deletes the others.
func (m *FS) restorePartials() error {
	infos, err := m.local.ReadDir(localdir.PartialDir)
	if err != nil {
		return err
	}
	sizes := map[string]int64{}
	for _, info := range infos {
		sizes[localdir.PartialDir+"/"+info.Name] = info.Size()
		m.departed(info.Name)
	}
	kept := map[string]bool{}
	for name := range sizes {
		temp, isNote := strings.CutSuffix(name, noteSuffix)
		if !isNote {
			continue
		}
		p, err := m.readNote(temp)
		if err != nil || sizes[temp] < p.Length || p.Length == 0 || m.partials[string(p.From)] != nil {
			continue
		}
		m.partials[string(p.From)] = p
		m.transit.set(p, p.Length)
		kept[name], kept[temp] = true, true
	}
	for name := range sizes {
		if kept[name] {
			continue
		}
		if err := m.local.RemoveAll(name); err != nil {
			return err
		}
	}
	return nil
}

// departed has what is fetched from now on get other temporary names than this one.
func (m *FS) departed(temp string) {
	if _, number, ok := strings.Cut(strings.TrimSuffix(path.Base(temp), noteSuffix), "-"); ok {
		n, _ := strconv.ParseUint(number, 10, 64)
		m.departures = max(m.departures, n)
	}
}

func (m *FS) readNote(temp string) (*partial, error) {
	p := &partial{temp: temp}
	return p, readJSON(m.local, temp+noteSuffix, p)
}
