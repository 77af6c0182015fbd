package mirror

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/copies"
	"github.com/sftpsyncer/go-syncfs/internal/detour"
	"github.com/sftpsyncer/go-syncfs/internal/handle"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// OpenRead opens a file or directory for reading. A file without local bytes is downloaded. If there is no room for a copy,
// it is read from the remote.
func (m *FS) OpenRead(name string) (afero.File, error) {
	clean, err := m.Clean(name)
	if err != nil {
		return nil, err
	}
	if f := m.openCopy(clean, name); f != nil {
		return f, nil
	}
	for {
		f, arriving, err := m.openHere(clean, name)
		if err != nil || f != nil {
			return f, err
		}
		// If there is nothing to download, the bytes are local by now, or the node is gone: look again.
		if f, err := m.openArriving(arriving, name); err != nil || f != nil {
			return some(f, err)
		}
	}
}

// openCopy opens a copy that needs no revalidation. This is the fast path of most calls. It returns nil if there is no such
// copy.
func (m *FS) openCopy(clean, name string) *File {
	m.mu.Lock()
	defer m.mu.Unlock()
	v := m.view()
	v.exact = true
	n := v.tree.Lookup(clean)
	if m.closed() || n == nil || n.Content() != tree.Owned || n.Copy().Stale || n.Copy().Installing() != "" || v.store.Unproven(n) || v.askable(n) ||
		len(m.writing) > 0 && m.written(n.RemotePath()) {
		return nil
	}
	o, err := v.openNode(n, clean, os.O_RDONLY)
	if err != nil {
		return nil
	}
	if info, err := o.local.Stat(); err == nil && tree.Stamp(info.Stamp) == n.Copy().Stamp {
		m.hits.Add(1)
		return handle.New[handleLock](o, name, os.O_RDONLY)
	}
	m.unshare(n, o.shared)
	_ = o.local.Close()
	return nil
}

// hit counts an open of a file with local bytes, if it succeeded.
func (v *View) hit(err error) {
	if err == nil {
		v.hits.Add(1)
	}
}

// toArrive is a file that has to be downloaded.
type toArrive struct {
	node     *tree.Node
	path     string // of node on the remote
	expected copies.Expectation
	openable bool   // the remote has told this call that everybody may read it
	epoch    uint64 // of that answer
}

// openable reports whether the remote has told this call that a file exists and that everybody may read it. Otherwise, only
// opening it shows whether the login may.
func (v *View) openable(n *tree.Node) bool {
	a := v.known.answers[n.RemotePath()]
	return a.Known == tree.Exists && a.Meta.Mode.IsRegular() && a.Meta.Mode&0o444 == 0o444
}

// openHere opens a directory, a file with local bytes, or a file that the program is writing on the remote. If it returns
// neither a file nor an error, the file has to be downloaded.
func (m *FS) openHere(clean, name string) (f afero.File, a toArrive, err error) {
	var through string
	var around detour.Detours
	err = m.Do(func(v *View) error {
		v.exact = true
		p, err := v.Find(clean, true)
		if err == nil {
			err = p.Err()
		}
		if err != nil {
			return err
		}
		if p.Kind() == tree.Dir {
			n, err := v.Enter(p)
			if err == nil {
				f = v.OpenDir(n, name)
			}
			return err
		}
		if p.Local != nil {
			f, err = some(v.OpenLocal(p, name, os.O_RDONLY, nil))
			v.hit(err)
			return err
		}
		n := v.Materialize(p)
		if err := remote.Special(n.Meta.Mode); err != nil {
			return err
		}
		if err := v.Prove(n); err != nil {
			return err
		}
		switch {
		case v.written(n.RemotePath()):
			through, around = n.RemotePath(), detour.Of(v.tree)
			return errWritten
		case !n.Present():
			a = toArrive{n, n.RemotePath(), v.expect(n), v.openable(n), v.epoch}
			return nil
		}
		f, err = some(v.OpenNode(n, name, os.O_RDONLY))
		v.hit(err)
		return err
	})
	if !errors.Is(err, errWritten) {
		return f, a, err
	}
	m.misses.Add(1)
	file, err := around.OpenAny(m.remote, through)
	if err != nil {
		return nil, a, err
	}
	return remote.NewFile(file, name, nil), a, nil
}

// openArriving opens a file that is being downloaded, when the remote has opened it or is sure to open it. It returns nil if
// there is nothing to download.
func (m *FS) openArriving(t toArrive, name string) (*File, error) {
	var shared *openFile
	stream, err := m.copies.Open(m.ctx, t.node, t.path, t.expected, func(changing bool) (sure bool) {
		shared = m.view().share(t.node)
		shared.streams++
		m.noteUsage(t.node)
		return t.openable && t.epoch == m.epoch && !changing
	})
	switch {
	case stream != nil:
		m.misses.Add(1)
		return handle.New[handleLock](&arriving{stream, m, t.node, shared}, name, os.O_RDONLY), nil
	case shared != nil:
		m.mu.Lock()
		defer m.mu.Unlock()
		m.unstream(t.node, shared)
	}
	return nil, err
}

// arriving is the content of a File whose bytes were not local when it was opened.
type arriving struct {
	*copies.Stream
	m      *FS
	node   *tree.Node
	shared *openFile
}

var (
	_ handle.Content    = (*arriving)(nil)
	_ handle.Prefetcher = (*arriving)(nil)
)

// Stat describes what is arriving, or the local file.
func (a *arriving) Stat(name string) (fs.FileInfo, error) {
	if meta, arriving := a.Shown(); arriving {
		return tree.NewInfo(name, meta), nil
	}
	info, err := a.Local()
	if err != nil {
		return nil, err
	}
	a.m.mu.Lock()
	defer a.m.mu.Unlock()
	return tree.NewInfo(name, a.m.view().openMeta(a.node, a.shared, info)), nil
}

// Change fails: the handle is for reading.
func (a *arriving) Change(bool, func(*localdir.File) (int, error)) (int, error) {
	return 0, syscall.EBADF
}

// Sync does nothing: the handle is for reading.
func (a *arriving) Sync() error { return nil }

// Close leaves the download, which may go on.
func (a *arriving) Close() error {
	a.m.mu.Lock()
	a.m.unstream(a.node, a.shared)
	a.m.mu.Unlock()
	return a.Stream.Close()
}

// unstream removes a handle that was opened before the bytes were local. m.mu is held.
func (m *FS) unstream(n *tree.Node, s *openFile) {
	s.streams--
	m.unshare(n, s)
}

// some keeps a nil *File from becoming an afero.File that is not nil.
func some(f *File, err error) (afero.File, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Present returns nil if a node has the bytes that the view shows. Otherwise the error is a need to download them, or why
// they can't be had.
func (v *View) Present(n *tree.Node) error {
	if v.written(n.RemotePath()) {
		return errWritten
	}
	if err := v.Prove(n); err != nil {
		return err
	}
	return v.Fetch(n)
}
