package syncfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// What happens rarely, and only in histories that are made with it.

// truncateStale has a file written by the other client, and then, while the old copy is still shown, here.
func (m *machine) truncateStale() {
	name, ok := m.settledFile()
	if !ok {
		return
	}
	m.others("write", name)
	m.look("")
	if m.writeTo(name, create) {
		m.look("")
		m.push()
	}
}

// swap has two files change their names, of which the other client may write one before that is pushed.
func (m *machine) swap() {
	files := []string{}
	for _, name := range m.names() {
		if m.view[name].typ == 0 {
			files = append(files, name)
		}
	}
	if _, taken := m.view["swap"]; taken || len(files) < 2 {
		return
	}
	from := rapid.SampledFrom(files).Draw(m.rt, "from")
	to := rapid.SampledFrom(files).Draw(m.rt, "to")
	if from == to {
		return
	}
	for _, names := range [][2]string{{from, "swap"}, {to, from}, {"swap", to}} {
		m.rename(names[0], names[1])
		m.look("")
	}
	if origin := m.view[to].origin; origin != "" && !m.uncertain && rapid.Bool().Draw(m.rt, "other writes") {
		if _, there := m.store.tree()[origin]; there {
			m.others("write", origin)
			m.look("")
		}
	}
	m.push()
}

// settledFile draws a file about which both sides agree, of which there is a copy, when nothing is queued.
func (m *machine) settledFile() (name string, ok bool) {
	if m.held != nil || m.uncertain || !m.calm() || len(m.fs.Pending()) > 0 || len(m.line.Held()) > 0 {
		return "", false
	}
	remote, files := m.store.tree(), []string{}
	for _, name := range m.names() {
		e := m.view[name]
		if _, err := m.disk.Stat("/" + name); err == nil && e.typ == 0 && e.origin == name && remote[name].text == e.text {
			files = append(files, name)
		}
	}
	if len(files) == 0 {
		return "", false
	}
	return rapid.SampledFrom(files).Draw(m.rt, "file"), true
}

// editByHand has another program write to a copy. That is shown, and is on the remote only after Add.
func (m *machine) editByHand() {
	name, ok := m.settledFile()
	if !ok {
		return
	}
	text, before := m.text(""), m.store.tree()
	m.rt.Logf("edit %s by hand: %s", name, label(text))
	require.NoError(m.rt, afero.WriteFile(m.disk, "/"+name, []byte(text), 0o644))
	shown := func() {
		got, err := afero.ReadFile(m.fs, name)
		require.NoError(m.rt, err)
		require.Equal(m.rt, text, string(got))
	}
	if rapid.Bool().Draw(m.rt, "looked at first") {
		_, err := m.fs.Stat(name)
		require.NoError(m.rt, err)
	}
	shown()
	_, err := m.fs.Push(context.Background())
	require.NoError(m.rt, err)
	require.Empty(m.rt, settled(before).diff(m.store.tree(), ""), "pushed without Add")
	_ = m.fs.Evict(name)
	if rapid.Bool().Draw(m.rt, "restarted") {
		require.NoError(m.rt, m.fs.Close())
		require.NoError(m.rt, m.open())
	}
	shown()
	m.store.commit(text)
	require.NoError(m.rt, m.fs.Add(name))
	_, err = m.fs.Push(context.Background())
	require.NoError(m.rt, err)
	m.written(name, text)
	m.pushed()
}

// loseLog deletes the log of changes. That is reported, and what this side does not know the origin of any more replaces
// nothing that is not the same. Then the user begins anew.
func (m *machine) loseLog() {
	name, ok := m.settledFile()
	if !ok {
		return
	}
	require.NoError(m.rt, m.fs.Close())
	const log = "/" + localdir.StateDir + "/log"
	m.rt.Logf("lose the log; %s is edited on both sides", name)
	if rapid.Bool().Draw(m.rt, "emptied") {
		f, err := m.disk.OpenFile(log, os.O_WRONLY|os.O_TRUNC, 0)
		require.NoError(m.rt, err)
		require.NoError(m.rt, f.Close())
	} else {
		require.NoError(m.rt, m.disk.Remove(log))
	}
	require.NoError(m.rt, m.openDamaged())
	require.Error(m.rt, m.fs.Damage())
	theirs := m.text("")
	require.NoError(m.rt, m.store.serve(name, theirs, 0))
	text := m.text(m.view[name].text)
	m.store.commit(text)
	f, err := m.fs.OpenFile(name, extend, 0)
	require.NoError(m.rt, err)
	_, err = f.WriteString(text[len(m.view[name].text):])
	require.NoError(m.rt, errors.Join(err, f.Close()))
	_, err = m.fs.Push(context.Background())
	require.ErrorIs(m.rt, err, ErrConflict)
	require.Equal(m.rt, theirs, m.store.tree()[name].text)
	m.startOver()
}

// leftover has a client that is dead by now have left a temporary file, days ago by the remote's clock.
func (m *machine) leftover() {
	dirs, tree := []string{}, m.store.tree()
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		if tree[name].typ == fs.ModeDir {
			dirs = append(dirs, name)
		}
	}
	if len(dirs) == 0 {
		return
	}
	m.length++
	name := fmt.Sprintf("%s%016x.part", localdir.Prefix, m.length)
	at := "/" + path.Join(rapid.SampledFrom(dirs).Draw(m.rt, "directory"), name)
	m.rt.Logf("leftover %s", at)
	require.NoError(m.rt, afero.WriteFile(m.store.Fs, at, []byte("left"), 0o644))
	old := m.now().Add(-3 * 24 * time.Hour)
	require.NoError(m.rt, m.store.Fs.Chtimes(at, old, old))
	m.leftovers[name] = true
}
