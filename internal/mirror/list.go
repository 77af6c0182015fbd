package mirror

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/sftpsyncer/go-syncfs/internal/detour"
	"github.com/sftpsyncer/go-syncfs/internal/inflight"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// List describes what is in a directory of the view, sorted by name: the remote's listing with the local changes laid over
// it. If the remote does not answer, List fails.
func (v *View) List(dir *tree.Node) ([]tree.Info, error) { return v.listAbout(dir, v.askable, false) }

// listAbout is List. It takes the remote's listing as the answer about those nodes for which about returns true. With bare,
// it does not look at the local files: only the names count.
func (v *View) listAbout(dir *tree.Node, about func(*tree.Node) bool, bare bool) ([]tree.Info, error) {
	there, err := v.remoteEntries(dir)
	if err != nil {
		return nil, err
	}
	v.learnList(dir, there, about) // deletes copies of what is gone
	locals, err := v.localEntries(dir, bare)
	if err != nil {
		return nil, err
	}

	var infos []tree.Info
	var kids []*tree.Node
	dir.Kids(func(k *tree.Node) { kids = append(kids, k) })
	for _, k := range kids {
		local, here := locals[k.Name()]
		copied := k.Content() == tree.Owned || k.Content() == tree.Edited
		untouched := here && (bare || copied && tree.Stamp(local.Stamp) == k.Copy().Stamp)
		if (here || copied) && !untouched {
			if err := v.Verify(k); err != nil {
				return nil, err
			}
			if _, err := v.local.Lstat(k.Path()); localdir.Missing(err) { // it was set aside
				delete(locals, k.Name())
				here = false
			}
		}
		if copied && k.Content() == tree.Remote && v.askable(k) { // the copy is gone
			v.learnEntry(k, there)
		}
		switch {
		case !k.InView(): // a user's file took its place
		case !k.Ours():
			infos = append(infos, tree.NewInfo(k.Name(), v.shown(k)))
		case here:
			infos = append(infos, tree.NewInfo(k.Name(), dirtyMeta(k, local)))
		}
	}
	for name, local := range locals {
		if dir.Kid(name) == nil {
			infos = append(infos, tree.NewInfo(name, LocalMeta(local)))
		}
	}
	expected := detour.Targets(v.tree)
	for name, a := range there.Entries {
		_, here := locals[name]
		_, hidden := dir.Hidden(name)
		hidden = hidden || expected[tree.Join(dir.RemotePath(), name)]
		if !here && !hidden && dir.Kid(name) == nil {
			infos = append(infos, tree.NewInfo(name, a.Meta))
		}
	}
	slices.SortFunc(infos, func(a, b tree.Info) int { return strings.Compare(a.Name(), b.Name()) })
	return infos, nil
}

// Places returns the places of everything in a directory of the view, sorted by name.
func (v *View) Places(dir *tree.Node) ([]Place, error) {
	infos, err := v.List(dir)
	if err != nil {
		return nil, err
	}
	var entries map[string]remote.Answer
	if dir.HasBase() {
		entries = v.known.lists[dir.RemotePath()].Entries
	}
	places := make([]Place, 0, len(infos))
	for _, info := range infos {
		p := Place{Dir: dir, Name: info.Name(), Node: dir.Kid(info.Name())}
		if p.Node == nil {
			local, err := v.local.Lstat(tree.Join(dir.Path(), info.Name()))
			if err == nil {
				p.Local = &local
			} else if !localdir.Missing(err) {
				return nil, err
			}
			p.Answer = entries[info.Name()]
		}
		if p.Err() == nil {
			places = append(places, p)
		}
	}
	return places, nil
}

// ListAll lists a directory of the remote and everything below it, many directories at a time. The error matches
// syscall.ENAMETOOLONG if a path is too long.
func (v *View) ListAll(dir *tree.Node) error {
	if !dir.HasBase() {
		return nil
	}
	if _, ok := v.known.lists[dir.RemotePath()]; ok {
		return nil
	}
	root, around := dir.RemotePath(), detour.Of(v.tree)
	return need{asks: true, learn: func(m *FS, k *knowledge) error {
		var mu sync.Mutex // guards k.lists
		var list func(dir string) inflight.Task
		list = func(dir string) inflight.Task {
			return inflight.Task{Weight: 1, Leads: true, Do: func() (inflight.Tasks, error) {
				l := around.List(m.remote, dir)
				if errors.Is(l.Err, syscall.ENAMETOOLONG) {
					return nil, fmt.Errorf("%w: %s", l.Err, dir)
				}
				mu.Lock()
				defer mu.Unlock()
				put(&k.lists, dir, l)
				dirs := l.Dirs()
				return func() (t inflight.Task, more bool) {
					if more = len(dirs) > 0; more {
						t, dirs = list(tree.Join(dir, dirs[0])), dirs[1:]
					}
					return t, more
				}, nil
			}}
		}
		return m.limits.Walk(m.ctx, list(root))
	}}
}

// remoteEntries returns the remote's listing of a directory of the view; an empty one if the remote does not have the
// directory yet.
func (v *View) remoteEntries(dir *tree.Node) (remote.Listing, error) {
	if !dir.HasBase() {
		return remote.Listing{}, nil
	}
	l, err := v.list(dir.RemotePath())
	if err != nil {
		return remote.Listing{}, err
	}
	if remote.Absent(l.Err) && v.standsHere(dir) {
		return remote.Listing{}, nil
	}
	if l.Err == nil {
		v.tree.Adopt(dir)
	}
	return l, l.Err
}

// standsHere reports whether a directory is in the view whatever the remote says.
func (v *View) standsHere(dir *tree.Node) bool {
	if dir.IsRoot() || dir.Differs() || dir.Known != tree.Exists && dir.HasKids() {
		return true
	}
	_, err := v.local.Lstat(dir.Path())
	return err == nil
}

func (v *View) localEntries(dir *tree.Node, bare bool) (map[string]localdir.Info, error) {
	read := v.local.ReadDir
	if bare {
		read = v.local.ReadNames
	}
	infos, err := read(dir.Path())
	if err != nil && !localdir.Missing(err) {
		return nil, err
	}
	locals := make(map[string]localdir.Info, len(infos))
	for _, info := range infos {
		locals[info.Name] = info
	}
	return locals, nil
}

// learnList takes a listing as the answer about those nodes in the directory for which about returns true.
func (v *View) learnList(dir *tree.Node, there remote.Listing, about func(*tree.Node) bool) {
	if !dir.HasBase() {
		return
	}
	var kids []*tree.Node
	dir.Kids(func(k *tree.Node) { kids = append(kids, k) })
	for _, k := range kids {
		if about(k) || k.Assumed() && there.Entries[k.Name()].Kind == tree.Dir {
			v.learnEntry(k, there)
		}
	}
}

// learnEntry takes a listing as the answer about a node in the directory, unless a later answer is known.
func (v *View) learnEntry(n *tree.Node, there remote.Listing) {
	if there.At != 0 && there.At <= n.Checked {
		return
	}
	a, ok := there.Entries[n.Name()]
	if !ok {
		a.Known = tree.Absent
	}
	a.At = there.At
	v.Learn(n, a)
}
