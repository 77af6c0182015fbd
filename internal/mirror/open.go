package mirror

import (
	"errors"
	"os"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/detour"
	"github.com/sftpsyncer/go-syncfs/internal/download"
	"github.com/sftpsyncer/go-syncfs/internal/handle"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// OpenRead opens what is under a name for reading: a file of this side, else a copy of the remote's, fetched if it is
// not here. A file for which there is no room is read on the remote.
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
		// Bytes that are here by now, or a node that is gone, have it looked at again.
		if f, err := m.openArriving(arriving, name); err != nil || f != nil {
			return some(f, err)
		}
	}
}

// openCopy opens a copy about which nobody has to be asked, which is what most calls are for. It returns nil if there is
// none, or it has to be looked at more closely.
func (m *FS) openCopy(clean, name string) *File {
	m.mu.Lock()
	defer m.mu.Unlock()
	v := m.view()
	v.exact = true
	n := v.tree.Lookup(clean)
	if m.closed || n == nil || n.Content() != tree.Owned || n.Copy().Stale || n.Copy().Installing != "" || v.askable(n) ||
		len(m.writing) > 0 && m.written(n.RemotePath()) {
		return nil
	}
	o, err := v.openNode(n, clean, name, os.O_RDONLY)
	if err != nil {
		return nil
	}
	if info, err := o.local.Stat(); err == nil && tree.Stamp(info.Stamp) == n.Copy().Stamp {
		m.counted.hits.Add(1)
		return handle.New[handleLock](o, name, os.O_RDONLY)
	}
	m.unshare(n, o.shared)
	_ = o.local.Close()
	return nil
}

// hit counts a file that was opened and is here.
func (v *View) hit(err error) {
	if err == nil {
		v.counted.hits.Add(1)
	}
}

// toArrive is a file whose bytes have to be fetched.
type toArrive struct {
	node     *tree.Node
	path     string // of node on the remote
	expected expectation
	openable bool   // the remote has just said so
	epoch    uint64 // when that was
}

// openable says whether the remote has told this call that a file is there, and that everybody may read it. Who else
// may is not known before the remote has opened it.
func (v *View) openable(n *tree.Node) bool {
	a := v.known.answers[n.RemotePath()]
	return a.Known == tree.Exists && a.Meta.Mode.IsRegular() && a.Meta.Mode&0o444 == 0o444
}

// openHere opens what is here, or is being written on the remote. With neither a file nor an error there is one to be
// fetched.
func (m *FS) openHere(clean, name string) (f afero.File, a toArrive, err error) {
	var through string
	var around detour.Detours
	err = m.Do(func(v *View) error {
		v.Exactly()
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
		switch {
		case v.written(n.RemotePath()):
			through, around = n.RemotePath(), detour.Of(v.tree)
			return errWritten
		case !present(n):
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
	m.counted.misses.Add(1)
	file, err := around.OpenAny(m.remote, through)
	if err != nil {
		return nil, a, err
	}
	return remote.NewFile(file, name, nil), a, nil
}

// openArriving opens a file as soon as the remote has opened it, or it is sure that it will. It returns nil if there is
// nothing to be fetched.
func (m *FS) openArriving(t toArrive, name string) (*File, error) {
	s := &stream{m: m, name: name, node: t.node, path: t.path, expected: t.expected}
	sure, renamed := false, false
	a, err := m.join(t.node, t.expected, func(a *sharedDownload) {
		a.addHandle()
		s.shared = m.view().share(t.node)
		s.shared.streams++
		m.noteUsage(t.node)
		sure = t.openable && t.epoch == m.epoch && !m.quiesced(a)
		renamed = t.node.RemotePath() != t.path
	})
	if a == nil {
		return nil, err
	}
	s.at = a
	f := handle.New[handleLock](s, name, os.O_RDONLY)
	if renamed { // since it was looked at: another may have its name
		_ = f.Close()
		return nil, nil
	}
	if !sure {
		select {
		case <-a.Opened:
			err = a.Failure()
		case <-m.ctx.Done():
			err = m.ctx.Err()
		}
	}
	if err == nil || errors.Is(err, ErrChanged) || errors.Is(err, download.ErrNoRoom) {
		m.counted.misses.Add(1)
		return f, nil
	}
	_ = f.Close()
	if errors.Is(err, download.ErrSuperseded) {
		return nil, nil
	}
	return nil, err
}

// some keeps a nil *File from becoming an afero.File that is not nil.
func some(f *File, err error) (afero.File, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Present returns nil if the bytes of a node that was found are here and are what the view shows; else it has them
// fetched. The error says why they cannot be had.
func (v *View) Present(n *tree.Node) error {
	if v.written(n.RemotePath()) {
		return errWritten
	}
	return v.Fetch(n)
}
