package mirror

import (
	"errors"
	"io"
	"io/fs"
	"syscall"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

const (
	// fetchAttempts is how often a fetch starts over because the remote's version changed under it.
	fetchAttempts = 3
	// headSize is how much of a file is read together with its version.
	headSize = 64 << 10
)

// fetch makes a whole copy of the node's bytes, or joins the arrival that does.
func (m *FS) fetch(n *tree.Node, e expectation) error {
	for attempt := 1; ; attempt++ {
		var name string
		var size int64
		a, err := m.join(n, e, func(a *arrival) {
			a.waiting++
			name, size = n.Path(), n.Meta.Size
		})
		if a == nil {
			return err
		}
		gauge := m.meter.Begin(name, size, a.soFar)
		a.want()
		select {
		case <-a.rest:
			err = a.result()
		case <-m.ctx.Done():
			err = m.ctx.Err()
		}
		gauge.End()
		a.leave(&a.waiting, false)
		if errors.Is(err, errGiven) {
			return nil // who asked looks again
		}
		if !errors.Is(err, ErrChanged) || attempt == fetchAttempts {
			return err
		}
	}
}

// present says whether the node's bytes are here, and are what the view shows.
func present(n *tree.Node) bool {
	return n.Local() && (n.Content() != tree.Owned || !n.Copy().Stale)
}

// await waits for the end of a node's arrival, if there is one.
func (v *View) await(n *tree.Node) error {
	return need{func(m *FS, _ *knowledge) error {
		m.mu.Lock()
		a := m.arrivals[n.ID]
		m.mu.Unlock()
		if a == nil {
			return nil
		}
		select {
		case <-a.done: // who asked looks again
			return nil
		case <-m.ctx.Done():
			return m.ctx.Err()
		}
	}}
}

// copied is a copy that lies under a temporary name.
type copied struct {
	meta  tree.Meta // of the remote's version
	stamp tree.Stamp
	hash  tree.Hash
	at    int64
}

// fetch brings the bytes, and gives the copy its name.
func (a *arrival) fetch() (err error) {
	m := a.m
	if a.from == "" {
		return errGiven
	}
	if isClosed(a.wanted) {
		m.ExpectBytes(a.known.Size)
	}
	if err := a.awaitEarlier(); err != nil {
		return err
	}
	src, err := m.openVersion(a.around, a.from, a.known)
	if errors.Is(err, fs.ErrNotExist) && m.elsewhere(a.node, a.from) {
		return errGiven
	}
	if err != nil {
		return err
	}
	arrived := false
	defer func() {
		if arrived {
			return
		}
		a.refuseRequests()
		a.endRequests()
		if errors.Is(err, errNoRoom) {
			a.far.add(src) // its handles read on there
			return
		}
		a.far.close()
		_ = src.Close()
	}()
	close(a.opened)

	early, headSize := a.startEarly(src), min(a.known.Size, headSize)
	if early != nil {
		defer early.end()
		headSize = 0
	}
	head, meta, err := m.head(src, a.known, headSize)
	if err != nil {
		return err
	}
	if meta.Mode.IsDir() {
		return syscall.EISDIR
	}
	a.change(func() { a.meta, a.src, a.end = meta, src, meta.Size })
	p := m.beginning(a)
	if early != nil && (p != nil || !meta.SameVersion(a.known)) {
		early.end()
		early = nil
		if _, err := src.Seek(0, io.SeekStart); err != nil {
			return remote.Error(err)
		}
	}
	if err := m.reserve(a, p, meta.Size); err != nil {
		m.mu.Lock()
		m.removePartial(p)
		m.mu.Unlock()
		return err
	}
	var t *transfer
	kept := false
	defer func() {
		if !kept {
			a.drop(t, err)
		}
	}()
	if t, err = a.begin(p, head); err != nil {
		return err
	}
	t.early = early
	got, err := t.run()
	if err != nil {
		return err
	}
	arrived, a.arrivedFrom = true, src
	kept, err = m.land(a, got)
	return err
}

// elsewhere says whether a node is not where it was on the remote: it was replaced or renamed meanwhile.
func (m *FS) elsewhere(n *tree.Node, path string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tree.Node(n.ID) != n || n.HasBase() && n.RemotePath() != path
}

// head reads the beginning of a file while its version is asked for, which spares a round trip. It may be of an
// earlier version then: it counts only if the version is the one that was known before. Otherwise nothing is read.
func (m *FS) head(src afero.File, known tree.Meta, size int64) ([]byte, tree.Meta, error) {
	if f, ok := src.(readFile); ok && remote.MetaOf(f.info).SameVersion(known) {
		return f.content, remote.MetaOf(f.info), nil
	}
	type read struct {
		head []byte
		err  error
	}
	done := make(chan read, 1)
	go func() {
		r := read{head: make([]byte, size)}
		if size > 0 {
			var n int
			n, r.err = io.ReadFull(src, r.head)
			r.head = r.head[:n]
		}
		done <- r
	}()
	fi, err := src.Stat()
	r := <-done
	switch {
	case err != nil:
		return nil, tree.Meta{}, remote.Error(err)
	case remote.MetaOf(fi).SameVersion(known):
		if errors.Is(r.err, io.EOF) || errors.Is(r.err, io.ErrUnexpectedEOF) {
			r.err = nil // what is missing will be noticed
		}
	case size > 0 && !fi.IsDir():
		r.head = nil
		_, r.err = src.Seek(0, io.SeekStart)
	default:
		r.err = nil
	}
	if r.err != nil {
		return nil, tree.Meta{}, remote.Error(r.err)
	}
	return r.head, remote.MetaOf(fi), nil
}

// beginning takes note of the version that is about to arrive, and returns what is here of it.
func (m *FS) beginning(a *arrival) *partial {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := a.node; m.fits(a) {
		m.tree.Edit(n)
		if n.Meta == a.known { // else there was a later answer, or this side has changed it
			if n.Diff != nil && !n.Meta.SameVersion(a.meta) {
				n.Diff.Base = nil // of a copy that is gone
			}
			n.Meta = a.meta
		}
		n.Known, n.Checked = tree.Exists, m.Now()
		if err := m.save(); err != nil { // what others have changed
			m.opt.Logger.Warn("not recorded", "err", err)
		}
	}
	return m.takePartial(a.from, a.meta)
}
