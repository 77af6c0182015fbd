package mirror

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// A step that was sent to the remote may have been made or not until its outcome is recorded: for a moment, or, if
// the connection was lost, until it is found out. Meanwhile names are looked for in both places, and what appears
// where the step leads to is not news.

// detour is a rename of which it is not known whether it was made. meta is the version that it moves.
type detour struct {
	from, to string
	meta     tree.Meta
	alone    bool // a file, nothing below it: what is below the second name may have been there before
}

// detours are those renames, those that may still be carried out, and those by which a late request moves aside what it
// was to replace.
type detours []detour

func (v *View) detours() (d detours) {
	aside := func(i *tree.Intent) {
		if i.Aside == "" {
			return
		}
		to := detour{from: i.To, to: i.Aside}
		if replaced := v.tree.AtRemote(i.To); replaced != nil {
			to.meta = replaced.Meta
		}
		d = append(d, to)
	}
	v.tree.Intents(func(n *tree.Node) {
		i := n.Diff.Intent
		if i.Kind.Renames() {
			d = append(d, detour{i.From, i.To, i.Meta, false})
		}
		aside(i)
	})
	for _, g := range v.tree.Guards() {
		i := &g.Intent
		if from := v.tree.AtRemote(i.From); i.Kind.Renames() && from != nil {
			d = append(d, detour{i.From, i.To, from.Meta, true})
		}
		aside(i)
	}
	return d
}

// place is where the remote may have what is looked for.
type place struct {
	path string
	meta *tree.Meta // of the version that a rename has brought there, if it is a file; nil: any
	file bool       // it can only be a file
}

// mostPlaces is how many places a path may have: renames that others have made up may lead round and round.
const mostPlaces = 64

// places are where a path may be, itself first: what is not there any more has been brought to the next one before.
func (d detours) places(name string) []place {
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

// has says whether what is in a place can be what is looked for.
func (p place) has(kind tree.Kind, meta tree.Meta) bool {
	if kind != tree.File {
		return !p.file
	}
	return p.meta == nil || meta.SameVersion(*p.meta)
}

// ask is Ask of a path wherever it is now.
func (d detours) ask(m *FS, name string) (first remote.Answer) {
	for i, p := range d.places(name) {
		a := m.remote.Ask(p.path)
		if i == 0 {
			first = a
		}
		if a.Known != tree.Absent && (a.Known != tree.Exists || p.has(a.Kind, a.Meta)) {
			return a
		}
	}
	return first
}

// askList is the same for a list, in which is also what a rename may have taken out of it.
func (d detours) askList(m *FS, name string) (first remote.Listing) {
	for i, p := range d.places(name) {
		if p.file {
			continue
		}
		l := m.remote.List(p.path)
		if i == 0 {
			first = l
		}
		if !errors.Is(l.Err, fs.ErrNotExist) {
			d.complete(m, name, l)
			return l
		}
	}
	return first
}

// complete adds to the list of a directory what is elsewhere now.
func (d detours) complete(m *FS, dir string, l remote.Listing) {
	for _, r := range d {
		in, name := tree.Split(r.from)
		if _, there := l.Entries[name]; in != dir || there || l.Err != nil || r.meta == (tree.Meta{}) {
			continue
		}
		if a := d.ask(m, r.from); a.Known == tree.Exists {
			l.Entries[name] = a
		}
	}
}

// open is the same for a file to be read.
func (d detours) open(m *FS, name string) (f afero.File, err error) {
	places := d.places(name)
	if f, err = m.remote.Fs().Open(m.remote.Name(name)); len(places) == 1 || !errors.Is(remote.Error(err), fs.ErrNotExist) {
		return f, remote.Error(err)
	}
	for _, p := range places[1:] {
		f, fi, err := m.openStat(p.path)
		switch {
		case err == nil && p.has(tree.File, remote.MetaOf(fi)):
			return f, nil
		case err == nil:
			_ = f.Close()
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
	}
	return nil, fs.ErrNotExist
}

// openStat opens a file of the remote.
func (m *FS) openStat(name string) (afero.File, fs.FileInfo, error) {
	f, err := m.remote.Fs().Open(m.remote.Name(name))
	if err != nil {
		return nil, nil, remote.Error(err)
	}
	fi, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, nil, remote.Error(err)
	}
	return f, fi, nil
}

// expected are the paths at which the remote gets something by a step whose outcome is not known, or keeps what that
// replaces.
func (v *View) expected() map[string]bool {
	var paths map[string]bool
	v.tree.Intents(func(n *tree.Node) {
		if i := n.Diff.Intent; i.Kind.Renames() || i.Kind == tree.Publish || i.Kind == tree.Make {
			put(&paths, i.To, true)
			put(&paths, i.Aside, true)
		}
	})
	for _, g := range v.tree.Guards() {
		put(&paths, g.Intent.Aside, true)
	}
	return paths
}

// OpenVersion opens a file of the remote, of which that version was seen last: a small one in one round trip, if the
// remote can.
func (m *FS) OpenVersion(name string, seen tree.Meta) (afero.File, error) {
	return m.openVersion(nil, name, seen)
}

// openVersion opens a file of which that version is known. One that is small, and still that version, may be read already.
func (m *FS) openVersion(around detours, from string, known tree.Meta) (afero.File, error) {
	if whole, ok := m.remote.ReadVersion(from, known); ok {
		return whole, nil
	}
	return around.open(m, from)
}
