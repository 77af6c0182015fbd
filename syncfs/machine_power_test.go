package syncfs

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/internal/localstore"
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// powerLost looks at what a loss of power has left: what Sync has acknowledged is there. What else there is is
// pushed, as far as it is whole, and is the model from then on. after is what the model would be if the step that was
// under way had been made.
func (m *machine) powerLost(t *trouble, after *model) {
	m.setBack = m.edited
	defer func() { m.setBack = false }()
	cleared := m.clearWay()
	shown := m.tree(true)
	m.rt.Logf("random %v, journal %v, left %v, queued %v", t.random, m.journal, shown, m.fs.Pending())
	for _, e := range m.view {
		if e.lasting == "" {
			continue
		}
		names := e.lasting
		kept := false
		for _, a := range after.view {
			if a.lasting != "" && a.text == e.text {
				names, kept = names+"\n"+a.lasting, true
			}
		}
		if !kept { // the step was to replace or remove it
			continue
		}
		require.True(m.rt, slices.ContainsFunc(strings.Split(names, "\n"), func(name string) bool {
			return shown[name].text == e.text || cleared[name] == e.text
		}), "%q should be %v", strings.Split(names, "\n"), e)
	}
	if t.random || !m.journal { // out of order, what was not synced can be anything, and no record tells
		for _, e := range shown {
			m.store.allow(e.text)
		}
	}
	m.model = settled(shown)
	m.together()
}

// clearWay removes, as users may, files that have come back where there are directories by now, and the other way
// round. It returns the texts of the files.
func (m *machine) clearWay() map[string]string {
	cleared := map[string]string{}
	require.NoError(m.rt, m.fs.m.Do(func(v *mirror.View) error {
		v.Tree().Nodes(func(n *tree.Node) {
			if fi, err := m.disk.Stat("/" + n.Path()); err == nil && n.InView() && n.Kind == tree.Dir != fi.IsDir() {
				require.NoError(m.rt, afero.Walk(m.disk, "/"+n.Path(), func(name string, fi fs.FileInfo, err error) error {
					if err == nil && fi.Mode().IsRegular() {
						var text []byte
						text, err = afero.ReadFile(m.disk, name)
						cleared[name[1:]] = string(text)
					}
					return err
				}))
				require.NoError(m.rt, m.disk.RemoveAll("/"+n.Path()))
			}
		})
		return nil
	}))
	return cleared
}

// together says of files that were being written what is to become of them, and brings both sides together.
func (m *machine) together() {
	if err := m.giveUpMissing(); err != nil {
		require.ErrorIs(m.rt, err, fs.ErrExist) // a directory that has come back is in the way
		m.startOver()
		return
	}
	for _, name := range m.interrupted() {
		m.keep(name)
	}
	m.pushes()
	if m.opts.Cache.Revalidate == 0 { // copies are of before the loss
		_, err := m.fs.Pull(context.Background(), "/")
		require.NoError(m.rt, err)
	}
	remote := m.store.tree()
	for name, e := range m.tree(false) { // made here, and not recorded
		if now, there := remote[name]; there && now.typ != e.typ {
			m.rt.Logf("%s is a %v here, a %v there", name, e, now)
			require.NoError(m.rt, m.disk.RemoveAll("/"+name))
		}
	}
	require.NoError(m.rt, m.giveUpMissing())
	for name, e := range m.tree(true) {
		if e.typ == 0 && !m.store.made(e.text) {
			m.keep(name)
		}
	}
	require.NoError(m.rt, m.fs.AddDir("/", func(name string) { m.rt.Logf("added %s", name) }))
	gaveUp := m.pushes()
	shown := m.tree(false)
	remote = m.store.tree()
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(shown))) {
		// A local directory in which no file was queued is on this side only, and so is a file that was given up.
		if _, there := remote[name]; !there && (gaveUp || shown[name].typ.IsDir()) {
			require.NoError(m.rt, m.fs.Remove(name))
		}
		if !gaveUp {
			continue
		}
		if status, err := m.fs.Status(name); err == nil && status.State == cachefs.Changed { // Discard leaves an edit
			require.NoError(m.rt, m.disk.Remove("/"+name))
		}
	}
	m.pushes()
	m.model = settled(m.store.tree())
	m.old = m.opts.Cache.Revalidate == 0
	m.pushed()
	m.look("")
}

// pushes expects a push without an error. What was queued again after it had been pushed or undone may be in conflict
// with what the other client has made since; that is given up, which it says.
func (m *machine) pushes() (gaveUp bool) {
	m.rt.Helper()
	_, err := m.fs.Push(context.Background())
	if err != nil && m.edited {
		onlyConflicts(m.rt, err)
		require.NoError(m.rt, m.fs.Discard())
		_, err = m.fs.Push(context.Background())
		gaveUp = true
	}
	require.NoError(m.rt, err)
	require.Empty(m.rt, m.store.seen())
	return gaveUp
}

// giveUpMissing discards the changes of files whose bytes are lost.
func (m *machine) giveUpMissing() error {
	names := m.interrupted()
	for _, c := range m.fs.Pending() {
		if c.Op == Put {
			names = append(names, c.Name)
		}
	}
	for _, name := range names {
		if _, err := m.disk.Stat("/" + name); err == nil {
			continue
		}
		if err := m.fs.Discard(name); err != nil && !errors.Is(err, fs.ErrNotExist) { // with another one
			return err
		}
	}
	return nil
}

// startOver has the user begin with an empty local directory.
func (m *machine) startOver() {
	m.rt.Logf("start over")
	require.NoError(m.rt, m.fs.Close())
	for _, name := range m.store.temporary() {
		require.NoError(m.rt, m.store.Fs.Remove("/"+name))
	}
	m.disk = m.newDisk()
	require.NoError(m.rt, m.open())
	m.model = settled(m.store.tree())
	m.pushed()
}

// keep has a file that was being written pushed as it is, if it is whole; else it is removed.
func (m *machine) keep(name string) {
	text, err := afero.ReadFile(m.disk, "/"+name)
	m.rt.Logf("keep %s %s %v", name, label(string(text)), err)
	require.NoError(m.rt, err)
	if m.store.made(string(text)) {
		m.store.commit(string(text))
		require.NoError(m.rt, m.fs.Add(name))
	} else {
		require.NoError(m.rt, m.fs.Remove(name))
	}
}

// interrupted are the files that were being written, and the queued ones that are not as they were recorded: their name has
// the bytes of another file again, since the record of a rename has survived and the rename has not.
func (m *machine) interrupted() (names []string) {
	require.NoError(m.rt, m.fs.m.Do(func(v *mirror.View) error {
		v.Tree().Nodes(func(n *tree.Node) {
			info, err := v.Local().Lstat(n.Path())
			if n.Content() == tree.Interrupted || n.Content() == tree.Changed && err == nil && !localstore.AsQueued(n, info) {
				names = append(names, n.Path())
			}
		})
		return nil
	}))
	slices.Sort(names)
	return names
}
