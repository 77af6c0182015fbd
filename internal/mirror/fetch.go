package mirror

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
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
		f = m.depart(n)
	}
	return m.wait(f)
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
	from, around := n.RemotePath(), (&View{FS: m}).detours()
	m.mu.Unlock()
	if from == "" {
		return fs.ErrNotExist
	}
	src, before, err := around.open(m, from)
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
	got, err := m.download(src, before, temp)
	if err != nil {
		return err
	}
	kept, err = m.land(n, f, temp, got)
	return err
}

// download copies an open remote file, and checks that what arrived is one whole version.
func (m *FS) download(src afero.File, before fs.FileInfo, temp string) (arrived, error) {
	dst, err := m.local.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, before.Mode().Perm()|0o600)
	if err != nil {
		return arrived{}, room(err)
	}
	defer dst.Close()
	w := &writer{ctx: m.ctx, f: dst, hash: sha256.New(), size: before.Size()}
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

// land gives a copy its name, if its node still wants it: it stands in the view, the remote's version there is not
// newer than the copy, and nothing was written meanwhile. The record comes first, so that whatever is found under
// the name after a crash is known.
func (m *FS) land(n *tree.Node, f *flight, temp string, got arrived) (bool, error) {
	size := got.stamp.Size
	m.mu.Lock()
	if !m.wanted(n, f) {
		m.mu.Unlock()
		return false, nil // who waits looks again
	}
	prev := n.Copy
	if prev != nil {
		prev = &tree.Copy{Stamp: prev.Stamp, Hash: prev.Hash, Fetched: prev.Fetched}
	}
	m.tree.Edit(n)
	n.Content = tree.Owned
	n.Copy = &tree.Copy{Stamp: got.stamp, Hash: got.hash, Fetched: got.at, Landing: true, Prev: prev,
		Unsure: unsure(got.meta.MTime, got.at)}
	n.Meta, n.Known, n.Checked = got.meta, tree.Exists, got.at
	m.tree.Touch(n)
	// The temporary name that restore looks for.
	err := m.save(tree.Action{Kind: tree.RenameLocal, From: temp, To: tempName(n)})
	if err == nil && prev != nil {
		m.used -= prev.Stamp.Size // the new one takes its place
	}
	m.mu.Unlock()
	if err != nil {
		return false, err
	}
	err = m.log.Sync()
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		return true, m.backOut(n, size, err)
	}
	if n.Content != tree.Owned || !n.Copy.Landing || n.Copy.Hash != got.hash || !n.InView() {
		_ = m.local.Remove(tempName(n)) // changed or removed meanwhile: that stands
		return true, nil
	}
	if err := m.touchDown(n, size); err != nil {
		return true, err
	}
	return true, nil
}

// wanted says whether a fetch may still give the node its bytes.
func (m *FS) wanted(n *tree.Node, f *flight) bool {
	return m.flights[n.ID] == f && m.tree.Node(n.ID) == n && n.InView() && n.HasBase() &&
		m.writing[n.RemotePath()] == 0 &&
		(n.Content == tree.Remote || n.Content == tree.Owned && n.Copy.Stale)
}

// touchDown renames a recorded copy into its place.
func (m *FS) touchDown(n *tree.Node, size int64) error {
	name, prev := n.Path(), n.Copy.Prev
	if !m.vacant(name, prev) {
		return m.backOut(n, size, nil) // who waits looks again
	}
	err := m.makeParent(name)
	if err == nil {
		err = m.local.Rename(tempName(n), name)
	}
	if err != nil {
		return m.backOut(n, size, room(err))
	}
	m.tree.Edit(n)
	n.Copy.Landing, n.Copy.Prev = false, nil
	if info, err := m.local.Lstat(name); err == nil {
		n.Copy.Stamp = stampOf(info) // the rename changed its ctime
	}
	m.tree.Touch(n)
	return m.save()
}

// vacant says whether a copy may be put under a name: nothing is there, or the copy that it replaces, untouched.
func (m *FS) vacant(name string, prev *tree.Copy) bool {
	info, err := m.local.Lstat(name)
	return err != nil && missing(err) || err == nil && prev != nil && stampOf(info) == prev.Stamp
}

// backOut takes back the record of a copy that could not be given its name.
func (m *FS) backOut(n *tree.Node, size int64, err error) error {
	_ = m.local.Remove(tempName(n))
	m.used -= size
	m.tree.Edit(n)
	if n.Copy.Prev != nil {
		n.Copy = n.Copy.Prev
		n.Copy.Stale = true
		m.used += n.Copy.Stamp.Size
	} else {
		n.Content, n.Copy = tree.Remote, nil
	}
	m.tree.Touch(n)
	return errors.Join(err, m.save())
}

// room turns a full disk into errNoRoom.
func room(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", errNoRoom, err)
	}
	return err
}
