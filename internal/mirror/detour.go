package mirror

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// A step that was sent to the remote may have been made or not until its outcome is recorded: for a moment, or, if
// the connection was lost, until it is found out. Meanwhile names are looked for in both places, and what appears
// where the step leads to is not news.

// detours are the renames whose outcome is not known.
type detours []tree.Intent

func (v *View) detours() (d detours) {
	v.tree.Intents(func(n *tree.Node) {
		if n.Diff.Intent.Kind.Renames() {
			d = append(d, *n.Diff.Intent)
		}
	})
	return d
}

// around is where a path is if the rename that concerns it, i, was made; "" if none does.
func (d detours) around(name string) (other string, i tree.Intent) {
	for _, i := range d {
		if rest, ok := strings.CutPrefix(name, i.From); ok && (rest == "" || rest[0] == '/') {
			return i.To + rest, i
		}
	}
	return "", tree.Intent{}
}

// moved says whether what is in the other place of a path can be what the rename has brought there. A file carries its
// version along.
func moved(name string, i tree.Intent, kind tree.Kind, meta tree.Meta) bool {
	return name != i.From || kind != tree.File || meta.SameVersion(i.Meta)
}

// ask is Ask of a path wherever it is now. The old place comes first: what is not there any more has been brought to
// the new one before.
func (d detours) ask(m *FS, name string) Answer {
	a := m.Ask(name)
	if other, i := d.around(name); other != "" && a.Known == tree.Absent {
		if b := m.Ask(other); b.Known != tree.Exists || moved(name, i, b.Kind, b.Meta) {
			return b
		}
	}
	return a
}

// askList is the same for a list.
func (d detours) askList(m *FS, name string) listing {
	l := m.askList(name)
	if other, _ := d.around(name); other != "" && errors.Is(l.err, fs.ErrNotExist) {
		return m.askList(other)
	}
	return l
}

// open is the same for a file to be read.
func (d detours) open(m *FS, name string) (afero.File, error) {
	f, err := m.remote.Open(m.RemoteName(name))
	other, i := d.around(name)
	if other == "" || !errors.Is(Remote(err), fs.ErrNotExist) {
		return f, Remote(err)
	}
	f, fi, err := m.openStat(other)
	if err == nil && !moved(name, i, tree.File, metaOf(fi)) {
		_ = f.Close()
		return nil, fs.ErrNotExist
	}
	return f, err
}

// openStat opens a file of the remote.
func (m *FS) openStat(name string) (afero.File, fs.FileInfo, error) {
	f, err := m.remote.Open(m.RemoteName(name))
	if err != nil {
		return nil, nil, Remote(err)
	}
	fi, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, nil, Remote(err)
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
