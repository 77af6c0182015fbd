// Package detour finds files that a rename in doubt may have moved.
//
// From the time when a rename is sent to the remote until its outcome is recorded, the file may be under either name.
// If the connection is lost, that can take a while. Meanwhile names are looked up in both places, and a file that
// appears at the destination is not a change by somebody else.
package detour

import (
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// rename is a rename whose outcome is unknown.
type rename struct {
	from, to string
	meta     tree.Meta // the version that it moves
	alone    bool      // only the file itself: paths below the new name may have existed before
}

// Detours are the renames in doubt: those that were sent, those that may still be carried out late, and those by which
// a step moves aside the file that it replaces.
type Detours []rename

// Of returns the renames in doubt that are recorded in a tree.
func Of(t *tree.Tree) (d Detours) {
	aside := func(i *tree.Intent) {
		if i.Aside == "" {
			return
		}
		to := rename{from: i.To, to: i.Aside}
		if replaced := t.AtRemote(i.To); replaced != nil {
			to.meta = replaced.Meta
		}
		d = append(d, to)
	}
	t.Intents(func(n *tree.Node) {
		i := n.Diff.Intent
		if i.Kind.Renames() {
			d = append(d, rename{i.From, i.To, i.Meta, false})
		}
		aside(i)
	})
	for _, g := range t.Guards() {
		i := &g.Intent
		if from := t.AtRemote(i.From); i.Kind.Renames() && from != nil {
			d = append(d, rename{i.From, i.To, from.Meta, true})
		}
		aside(i)
	}
	return d
}

// Targets returns the paths at which a step in doubt puts a file on the remote, or keeps the file that it replaces.
// Most trees have none; then the map is nil.
func Targets(t *tree.Tree) (targets map[string]bool) {
	add := func(path string) {
		if targets == nil {
			targets = map[string]bool{}
		}
		targets[path] = true
	}
	t.Intents(func(n *tree.Node) {
		if i := n.Diff.Intent; i.Kind.Renames() || i.Kind == tree.Publish || i.Kind == tree.Deliver || i.Kind == tree.Make {
			add(i.To)
			add(i.Aside)
		}
	})
	for _, g := range t.Guards() {
		add(g.Intent.Aside)
	}
	return targets
}

// place is a path at which the remote may have the wanted file.
type place struct {
	path string
	meta *tree.Meta // the version that a rename has moved there; nil: any
	file bool       // only a file counts
}

// mostPlaces bounds the places of one path: the renames in a log from somebody else may form a cycle.
const mostPlaces = 64

// places returns the paths at which a file may be, the given one first. A rename moves a file from one place to the
// next, so a search in this order can't miss it.
func (d Detours) places(name string) []place {
	all := []place{{path: name}}
	for i := 0; i < len(all); i++ {
		for _, r := range d {
			if len(all) == mostPlaces {
				return all
			}
			rest, ok := strings.CutPrefix(all[i].path, r.from)
			if !ok || rest != "" && (rest[0] != '/' || r.alone) {
				continue
			}
			next := place{r.to + rest, all[i].meta, all[i].file || r.alone}
			if next.meta == nil && rest == "" {
				next.meta = &r.meta
			}
			if !slices.ContainsFunc(all, func(p place) bool { return p.path == next.path }) {
				all = append(all, next)
			}
		}
	}
	return all
}

// MayBeWithin reports whether a path, wherever it is now, may be one of dirs or below it.
func (d Detours) MayBeWithin(name string, dirs []string) bool {
	return slices.ContainsFunc(d.places(name), func(p place) bool {
		return slices.ContainsFunc(dirs, func(dir string) bool { return tree.Within(p.path, dir) })
	})
}

// has reports whether a file or directory that was found at the place may be the wanted one.
func (p place) has(kind tree.Kind, meta tree.Meta) bool {
	if kind != tree.File {
		return !p.file
	}
	return p.meta == nil || meta.SameVersion(*p.meta)
}

// Ask is r.Ask for a path that may have moved.
func (d Detours) Ask(r *remote.Remote, name string) (first remote.Answer) {
	for i, p := range d.places(name) {
		a := r.Ask(p.path)
		if i == 0 {
			first = a
		}
		if a.Known != tree.Absent && (a.Known != tree.Exists || p.has(a.Kind, a.Meta)) {
			return a
		}
	}
	return first
}

// List is r.List for a directory that may have moved. It includes entries that a rename may have moved out of it.
func (d Detours) List(r *remote.Remote, name string) (first remote.Listing) {
	for i, p := range d.places(name) {
		if p.file {
			continue
		}
		l := r.List(p.path)
		if i == 0 {
			first = l
		}
		if !remote.Absent(l.Err) {
			d.complete(r, name, l)
			return l
		}
	}
	return first
}

// complete adds the entries that are elsewhere now to a listing.
func (d Detours) complete(r *remote.Remote, dir string, l remote.Listing) {
	for _, moved := range d {
		in, name := tree.Split(moved.from)
		if _, there := l.Entries[name]; in != dir || there || l.Err != nil || moved.meta == (tree.Meta{}) {
			continue
		}
		if a := d.Ask(r, moved.from); a.Known == tree.Exists {
			l.Entries[name] = a
		}
	}
}

// Open opens a file for reading that may have moved. known is the version that was last seen: a small file that still
// has it may arrive with its content in one round trip.
func (d Detours) Open(r *remote.Remote, name string, known tree.Meta) (afero.File, error) {
	if whole, ok := r.ReadVersion(name, known); ok {
		return whole, nil
	}
	return d.OpenAny(r, name)
}

// OpenAny opens a file of any version for reading that may have moved.
func (d Detours) OpenAny(r *remote.Remote, name string) (f afero.File, err error) {
	places := d.places(name)
	if f, err = r.Open(name); len(places) == 1 || !remote.Absent(err) {
		return f, err
	}
	for _, p := range places[1:] {
		f, fi, err := openStat(r, p.path)
		switch {
		case err == nil && p.has(tree.File, remote.MetaOf(fi)):
			return f, nil
		case err == nil:
			_ = f.Close()
		case !remote.Absent(err):
			return nil, err
		}
	}
	return nil, fs.ErrNotExist
}

func openStat(r *remote.Remote, name string) (afero.File, fs.FileInfo, error) {
	f, err := r.Open(name)
	if err != nil {
		return nil, nil, err
	}
	fi, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, nil, remote.Error(err)
	}
	return f, fi, nil
}
