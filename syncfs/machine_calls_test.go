package syncfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sftpsyncer/go-syncfs/cachefs"
)

// element draws the name of an entry. A local directory of another kind may not keep all of them apart.
func (m *machine) element(label string) string {
	elements := []string{"a", "b", "c", "d"}
	if m.with.local != nil {
		elements = append(elements, "A", "B", "D")
	}
	return rapid.SampledFrom(elements).Draw(m.rt, label)
}

// name draws a path, mostly one that is there.
func (m *machine) name(label string) string {
	if there := m.names(); len(there) > 0 && rapid.IntRange(0, 3).Draw(m.rt, label+" is there") > 0 {
		return rapid.SampledFrom(there).Draw(m.rt, label)
	}
	dir := ""
	if dirs := m.dirs(); rapid.Bool().Draw(m.rt, "in a directory") {
		dir = rapid.SampledFrom(dirs).Draw(m.rt, "directory")
	}
	return path.Join(dir, m.element(label))
}

func (m *machine) dirs() []string {
	dirs := []string{""}
	for _, name := range m.names() {
		if m.view[name].typ == fs.ModeDir {
			dirs = append(dirs, name)
		}
	}
	return dirs
}

// text is a new one that begins with another. It is the longest so far, and each part of it shows which it is.
func (m *machine) text(start string) string {
	m.length += rapid.SampledFrom([]int{1, 1, 1, 30}).Draw(m.rt, "longer")
	unit := fmt.Sprintf("<%d>", m.length)
	m.length = max(m.length, len(start)+len(unit))
	text := start + strings.Repeat(unit, m.length/len(unit)+1)
	return text[:m.length]
}

// past is a time long ago, in seconds.
func (m *machine) past() int64 { return 1_000_000_000 + int64(m.length)*100 }

func unix(seconds int64) time.Time { return time.Unix(seconds, 0) }

// call makes a call on both sides, with or without trouble.
func (m *machine) call(what string, on func(afero.Fs) error, model func(*model) error) *trouble {
	t := m.arm()
	err := on(m.fs)
	m.rt.Logf("%s: %v", what, err)
	came := m.came(t)
	after := m.clone()
	wantErr := model(after)
	switch {
	case came && t.after != nil:
		m.powerLost(t, after)
	case err == nil && wantErr != nil && m.unseen(t): // what that means is the caller's to say
	case err == nil:
		require.NoError(m.rt, wantErr, "%s; the model", what)
		m.model = after
	case came && !like(err, wantErr):
		m.expected(what, err)
		if wantErr == nil && m.diff(m.tree(false), "") != "" {
			m.model = after // it had its effect; look says whether it was the whole
		}
	default:
		require.True(m.rt, like(err, wantErr), "%s: %v; the model: %v", what, err, wantErr)
	}
	return t
}

// unseen says whether the remote gave no answer in a step: what that has made was made without knowing what there is.
func (m *machine) unseen(t *trouble) bool { return len(m.sides[0].Fired()) > t.fired[0] }

// cover takes what was made without knowing what there is, at a path and above, for what is there. Where that is
// of another kind on the remote, it is a conflict.
func (m *machine) cover(name string) {
	m.suspect = true
	shown := m.tree(true)
	m.refreshed(shown)
	for _, n := range prefixes(name) {
		e, made := shown[n]
		e.mtime = 0
		if was, ok := m.view[n]; !made || ok && (was.sees(shown[n]) || was.typ == e.typ && e.typ == fs.ModeDir) {
			continue
		}
		for _, below := range m.below(n) {
			delete(m.view, below)
		}
		m.view[n] = e
	}
	m.wayOut()
}

// like says whether a program can't tell two errors apart.
func like(err, want error) bool {
	if err == nil || want == nil {
		return err == want
	}
	for _, e := range []error{fs.ErrNotExist, fs.ErrExist, ErrUnavailable, ErrBusy} {
		if errors.Is(want, e) != errors.Is(err, e) {
			return false
		}
	}
	return true
}

func (m *machine) callMkdir() {
	name, perm := m.name("name"), m.perm()
	m.call("mkdir "+name, func(f afero.Fs) error { return f.Mkdir(name, perm) },
		func(o *model) error { return o.mkdir(name, perm) })
}

// callMkdirAll makes each directory by itself, since those above may have been made before one fails.
func (m *machine) callMkdirAll() {
	name, perm := path.Join(m.name("name"), m.element("below")), m.perm()
	for _, dir := range prefixes(name) {
		t := m.call("mkdirall "+dir, func(f afero.Fs) error { return f.MkdirAll(dir, perm) },
			func(o *model) error { return o.mkdirAll(dir, perm) })
		if m.unseen(t) {
			m.cover(dir)
			return
		}
		if _, made := m.view[dir]; !made {
			return
		}
	}
}

func (m *machine) perm() fs.FileMode {
	return rapid.SampledFrom([]fs.FileMode{0o700, 0o750, 0o755}).Draw(m.rt, "mode")
}

func (m *machine) callSymlink() {
	name := m.name("name")
	target := fmt.Sprintf("nowhere/%s", m.element("target"))
	m.call("symlink "+name, func(f afero.Fs) error { return f.(afero.Linker).SymlinkIfPossible(target, name) },
		func(o *model) error { return o.symlink(target, name) })
}

func (m *machine) callRemove() {
	name := m.name("name")
	m.call("remove "+name, func(f afero.Fs) error { return f.Remove(name) },
		func(o *model) error { return o.remove(name) })
}

func (m *machine) callRemoveAll() {
	name := m.name("name")
	m.call("removeall "+name, func(f afero.Fs) error { return f.RemoveAll(name) },
		func(o *model) error { return o.removeAll(name) })
}

func (m *machine) callRename() { m.rename(m.name("from"), m.name("to")) }

func (m *machine) rename(from, to string) {
	m.call("rename "+from+" "+to, func(f afero.Fs) error { return f.Rename(from, to) },
		func(o *model) error { return o.rename(from, to) })
}

func (m *machine) callChmod() {
	name, perm := m.name("name"), m.perm()
	m.call("chmod "+name, func(f afero.Fs) error { return f.Chmod(name, perm) },
		func(o *model) error { return o.chmod(name, perm) })
}

func (m *machine) callChtimes() {
	name, mtime := m.name("name"), m.past()+50
	m.call("chtimes "+name, func(f afero.Fs) error { return f.Chtimes(name, unix(mtime), unix(mtime)) },
		func(o *model) error { return o.chtimes(name, mtime) })
}

// replace writes a file as careful programs do.
func (m *machine) replace() {
	name := m.name("name")
	temp := path.Join(path.Dir(name), "temp")
	if m.writeTo(temp, create) {
		m.look("")
		m.rename(temp, name)
	}
}

func (m *machine) callRead() {
	name := m.name("name")
	t := m.arm()
	text, err := afero.ReadFile(m.fs, name)
	m.rt.Logf("read %s: %v", name, err)
	came := m.came(t)
	e, wantErr := m.target(name)
	if goneThere(err) && !m.calm() {
		return
	}
	if wantErr == nil && e.typ == fs.ModeDir {
		wantErr = syscall.EISDIR
	}
	switch {
	case came && t.after != nil:
		m.powerLost(t, m.model)
	case err == nil:
		require.NoError(m.rt, wantErr, "read %s; the model", name)
		if m.calm() {
			require.Equal(m.rt, e.text, string(text), "read %s", name)
		}
	case came && !like(err, wantErr):
		m.expected("read "+name, err)
	default:
		require.True(m.rt, like(err, wantErr), "read %s: %v; the model: %v", name, err, wantErr)
	}
}

func (m *machine) callPull() {
	if m.uncertain && m.suspect {
		return
	}
	// What others removed is shown, and can't be fetched, if it was renamed here before and evicted, or could not be deleted.
	gone := func(e error) bool {
		var p *fs.PathError
		if !errors.Is(e, fs.ErrNotExist) || !errors.As(e, &p) {
			return false
		}
		name := p.Path
		if e, ok := m.view[name]; ok {
			name = e.origin
		}
		_, there := m.store.tree()[name]
		return !there
	}
	t, calm := m.arm(), m.calm()
	_, err := m.fs.Pull(context.Background(), "/")
	m.rt.Logf("pull: %v", err)
	came := m.came(t)
	if err != nil && (came || !calm) {
		err = errors.Join(slices.DeleteFunc(slices.Clone(spread(err)), gone)...)
	}
	switch {
	case came && t.after != nil:
		m.powerLost(t, m.model)
	case err == nil:
		m.pulled()
	case came:
		m.expected("pull", err)
	default:
		require.NoError(m.rt, err)
	}
}

// pulled notes that the view is not behind the remote any more.
func (m *machine) pulled() {
	if !m.uncertain {
		m.follow(m.store.tree(), nil)
	}
}

func (m *machine) callEvict() {
	if m.uncertain && m.suspect {
		return
	}
	name := m.name("name")
	err := m.fs.m.Evict(name)
	m.rt.Logf("evict %s: %v", name, err)
	if e := m.view[name]; err == nil && e.copied != "" && m.touched(name) {
		e.text = e.copied // what was done to the version of the copy still shows with that
		m.view[name] = e
	}
}

// tree is what the Fs shows. The length of a text tells which it is, so that it takes no fetch to see.
func (m *machine) tree(contents bool) map[string]entry {
	tree := map[string]entry{}
	var walk func(dir string)
	walk = func(dir string) {
		infos, err := afero.ReadDir(m.fs, "/"+dir)
		require.NoError(m.rt, err)
		for _, fi := range infos {
			name := path.Join(dir, fi.Name())
			_, twice := tree[name]
			require.False(m.rt, twice, name)
			again, _, err := m.fs.LstatIfPossible(name)
			require.NoError(m.rt, err)
			require.Equal(m.rt, again.Mode(), fi.Mode(), name)
			require.True(m.rt, fi.IsDir() || again.Size() == fi.Size(), "%s: %d, %d", name, again.Size(), fi.Size())
			tree[name] = m.shown(name, fi, contents)
			if fi.IsDir() {
				walk(name)
			}
		}
	}
	walk("")
	return tree
}

// goneThere says whether others may have removed a file on the remote that was never fetched, or made a directory in its place.
func goneThere(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EISDIR)
}

func (m *machine) shown(name string, fi fs.FileInfo, contents bool) entry {
	e := entry{typ: fi.Mode().Type(), perm: fi.Mode().Perm(), mtime: fi.ModTime().Unix()}
	switch {
	case e.typ == fs.ModeSymlink:
		target, err := m.fs.ReadlinkIfPossible(name)
		require.NoError(m.rt, err)
		e.perm, e.text = 0, target
	case e.typ == 0 && contents:
		text, err := afero.ReadFile(m.fs, name)
		if goneThere(err) && (m.setBack || !m.calm()) {
			return m.shown(name, fi, false)
		}
		require.NoError(m.rt, err)
		e.text = string(text)
		if fi, _, err = m.fs.LstatIfPossible(name); err == nil { // it may have been fetched
			e.perm, e.mtime = fi.Mode().Perm(), fi.ModTime().Unix()
		}
	case e.typ == 0:
		e.text = m.store.named(int(fi.Size()))
	}
	return e
}

// look requires that the view is what the model is, apart from one name.
func (m *machine) look(except string) {
	require.Empty(m.rt, m.store.seen())
	shown := m.tree(rapid.IntRange(0, 4).Draw(m.rt, "read all") == 0)
	if !m.uncertain {
		if m.opts.Cache.Revalidate == 0 {
			m.follow(m.store.tree(), shown)
		} else {
			m.follow(m.store.tree(), nil)
		}
		m.latent = m.removedByBoth()
	}
	m.refreshed(shown)
	require.Empty(m.rt, m.diff(shown, except), "the view")
	m.copies()
}

// copies notes of which files copies are here. What is done to one of them is done to the version of the copy.
func (m *machine) copies() {
	for name, e := range m.view {
		if e.typ != 0 || e.origin == "" {
			continue
		}
		s, err := m.fs.Status(name)
		switch {
		case err != nil || s.State != cachefs.Owned:
			e.copied = ""
		case s.Stale:
			e.base = e.copied
		default:
			e.base, e.copied = e.text, e.text
		}
		m.view[name] = e
	}
}

func (m *machine) removedByBoth() bool {
	remote := m.store.tree()
	for name := range m.gone {
		if _, there := remote[strings.TrimSuffix(name, "/")]; !there {
			return true
		}
	}
	return false
}

// refreshed takes what is shown of an old copy, or was just fetched for something that is queued, for the file's text,
// if that is what the remote has.
func (m *machine) refreshed(shown map[string]entry) {
	remote := m.store.tree()
	texts := map[string]bool{}
	for _, e := range remote {
		texts[e.text] = m.suspect && e.typ == 0
	}
	for name, e := range m.view {
		theirs, there := remote[e.origin]
		switch now, sees := shown[name]; {
		case !e.stale && (e.typ != 0 || e.own), now.text == e.text:
		case sees && (texts[now.text] || !m.uncertain && there && now.text == theirs.text):
			e.text, e.own, e.base, e.perm, e.mtime, e.stale = now.text, false, now.text, now.perm, 0, false
			m.view[name] = e
		case !sees && e.stale && (m.uncertain || !there),
			!sees && m.suspect && !there && !m.touched(name): // renamed back meanwhile
			delete(m.view, name)
		}
	}
	for name, e := range remote { // made by the other client under a name that was taken here for a while
		if _, known := m.view[name]; !known && m.suspect && e.sees(shown[name]) {
			e.origin, e.base, e.mtime = name, e.text, 0
			m.view[name] = e
		}
	}
}
