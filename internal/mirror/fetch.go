package mirror

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync/atomic"
	"syscall"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// flight is one fetch of a node's bytes, shared by all who wait for it. It ends when nobody waits any more.
type flight struct {
	number  uint64
	node    tree.ID
	waiters int
	cancel  context.CancelFunc
	done    chan struct{} // closed when err is set
	err     error
	arrived atomic.Int64 // bytes so far
}

// fetchAttempts is how often a fetch starts over because the remote's version changed under it.
const fetchAttempts = 3

// fetch makes a whole copy of the node's bytes, or joins the fetch that does.
func (m *FS) fetch(n *tree.Node) error {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return fs.ErrClosed
	}
	f := m.flights[n.ID]
	if f == nil {
		if present(n) || m.tree.Node(n.ID) != n { // since who asked looked
			m.mu.Unlock()
			return nil
		}
		f = m.depart(n)
	}
	defer m.meter.Begin(n.Path(), n.Meta.Size, f.arrived.Load).End()
	return m.wait(f)
}

// present says whether the node's bytes are here, and are what the view shows.
func present(n *tree.Node) bool {
	return n.Local() && (n.Content != tree.Owned || !n.Copy.Stale)
}

// await waits for the fetch of a node, if there is still one.
func (v *View) await(n *tree.Node) error {
	return need{func(m *FS, _ *knowledge) error {
		m.mu.Lock()
		f := m.flights[n.ID]
		if f == nil {
			m.mu.Unlock()
			return nil
		}
		_ = m.wait(f) // who asked looks again
		return m.ctx.Err()
	}}
}

// wait unlocks the mirror, and waits for a fetch.
func (m *FS) wait(f *flight) error {
	f.waiters++
	m.mu.Unlock()

	select {
	case <-f.done:
		return f.err
	case <-m.ctx.Done():
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if f.waiters--; f.waiters == 0 {
		f.cancel()
		if m.flights[f.node] == f { // who comes later starts anew
			delete(m.flights, f.node)
		}
	}
	return m.ctx.Err()
}

// depart starts a fetch.
func (m *FS) depart(n *tree.Node) *flight {
	ctx, cancel := context.WithCancel(m.stop)
	m.departures++
	f := &flight{number: m.departures, node: n.ID, cancel: cancel, done: make(chan struct{})}
	m.flights[n.ID] = f
	m.workers.Add(1)
	go func() {
		defer m.workers.Done()
		defer cancel()
		f.err = m.With(ctx).transport(n, f)
		m.mu.Lock()
		if m.flights[n.ID] == f {
			delete(m.flights, n.ID)
		}
		m.mu.Unlock()
		close(f.done)
	}()
	return f
}

// transport fetches until a version has arrived whole.
func (m *FS) transport(n *tree.Node, f *flight) error {
	for attempt := 1; ; attempt++ {
		err := m.carry(n, f)
		if !errors.Is(err, ErrChanged) || attempt == fetchAttempts {
			return err
		}
	}
}

// arrived is a copy that lies under a temporary name.
type arrived struct {
	meta  tree.Meta // of the remote's version
	stamp tree.Stamp
	hash  tree.Hash
	at    int64
}

func (m *FS) carry(n *tree.Node, f *flight) (err error) {
	m.mu.Lock()
	from, around, gone := n.RemotePath(), (&View{FS: m}).detours(), m.tree.Node(n.ID) != n
	m.mu.Unlock()
	if gone {
		return nil // who waits looks again
	}
	if from == "" {
		return fs.ErrNotExist
	}
	src, before, err := around.open(m, from)
	if errors.Is(err, fs.ErrNotExist) && m.elsewhere(n, from) {
		return nil // who waits looks again
	}
	if err != nil {
		return err
	}
	defer src.Close()
	if before.IsDir() {
		return syscall.EISDIR
	}
	if err := m.reserve(before.Size()); err != nil {
		return err
	}
	kept := false
	defer func() {
		if !kept {
			m.release(before.Size())
		}
	}()
	temp := fmt.Sprintf("%s-%d", tempName(n), f.number) // one that was left may still be writing
	defer func() {
		if !kept {
			_ = m.local.Remove(temp)
		}
	}()
	got, err := m.download(src, before, temp, &f.arrived)
	if err != nil {
		return err
	}
	kept, err = m.land(n, f, temp, got)
	return err
}

// elsewhere says whether a node is not where it was on the remote: it was replaced or renamed meanwhile.
func (m *FS) elsewhere(n *tree.Node, path string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tree.Node(n.ID) != n || n.HasBase() && n.RemotePath() != path
}

// download copies an open remote file, and checks that what arrived is one whole version.
func (m *FS) download(src afero.File, before fs.FileInfo, temp string, progress *atomic.Int64) (arrived, error) {
	dst, err := m.local.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, before.Mode().Perm()|0o600)
	if err != nil {
		return arrived{}, room(err)
	}
	defer dst.Close()
	w := &writer{ctx: m.ctx, f: dst, hash: sha256.New(), size: before.Size(), arrived: progress}
	if _, err := io.Copy(w, src); err != nil {
		if w.err != nil {
			return arrived{}, room(w.err)
		}
		return arrived{}, Remote(err)
	}
	after, err := src.Stat()
	if err != nil {
		return arrived{}, Remote(err)
	}
	got := arrived{meta: metaOf(after), at: m.Now()}
	if !got.meta.SameVersion(metaOf(before)) {
		return arrived{}, fmt.Errorf("%w: %s", ErrChanged, "it was written during the fetch")
	}
	if w.off != after.Size() {
		return arrived{}, &unavailable{fmt.Errorf("%d of %d bytes arrived: %w", w.off, after.Size(), io.ErrUnexpectedEOF)}
	}
	// The name must not last longer than the bytes.
	if err := dst.Sync(); err != nil {
		return arrived{}, room(err)
	}
	info, err := dst.Stat()
	if err != nil {
		return arrived{}, err
	}
	got.stamp = stampOf(info)
	w.hash.Sum(got.hash[:0])
	return got, dst.Close()
}

// room turns a full disk into errNoRoom.
func room(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", errNoRoom, err)
	}
	return err
}
