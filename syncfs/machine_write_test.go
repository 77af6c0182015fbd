package syncfs

import (
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The ways in which a file is written.
const (
	create    = os.O_RDWR | os.O_CREATE | os.O_TRUNC
	extend    = os.O_WRONLY | os.O_APPEND
	overwrite = os.O_RDWR // from the start, and further
)

func (m *machine) write(w int) { m.writeTo(m.name("name"), w) }

// writeTo writes a file, in two pieces. It says whether it did.
func (m *machine) writeTo(name string, w int) bool {
	e, ok := m.view[name]
	switch {
	case ok && e.typ == fs.ModeSymlink, e.open, m.uncertain && e.stale, w != create && m.unsettled(name):
		return false
	}
	wantErr := m.way(name)
	switch {
	case wantErr != nil:
	case !ok && w != create:
		wantErr = fs.ErrNotExist
	case ok && e.typ == fs.ModeDir:
		wantErr = syscall.EISDIR
	}
	after := m.clone()
	remote, certain := m.store.tree(), !m.uncertain
	if certain {
		after.opened(name, remote, w)
	}
	old := ""
	if ok && w == extend {
		old = after.view[name].text
	}
	text := m.text(old)
	sync := rapid.IntRange(0, 3).Draw(m.rt, "sync") == 0
	m.store.commit(text)

	t := new(trouble)
	if !e.stale { // else it would be open whether the remote was asked
		t = m.arm()
	}
	err := m.writeFile(name, w, strings.TrimPrefix(text, old), sync)
	m.rt.Logf("write %s %v: %v", name, label(text), err)
	came := m.came(t)
	after = m.clone()
	if certain {
		after.opened(name, remote, w)
	}
	if wantErr == nil {
		after.written(name, text)
		if sync {
			after.synced(name)
		}
	}
	switch {
	case came && t.after != nil:
		m.powerLost(t, after)
	case err == nil && w == create && m.unseen(t):
		if wantErr == nil {
			m.model = after
		}
		m.cover(name)
	case err == nil:
		require.NoError(m.rt, wantErr, "write %s; the model", name)
		m.model = after
		return true
	case goneThere(err) && !m.calm():
	case came && !like(err, wantErr):
		m.expected("write "+name, err)
		m.leftOver(name, text, w)
	default:
		require.True(m.rt, like(err, wantErr), "write %s: %v; the model: %v", name, err, wantErr)
	}
	return false
}

// unsettled says whether something but the text of a file is queued, and the other client has written it: which of the
// texts is changed depends on whether there is a copy.
func (m *machine) unsettled(name string) bool {
	e := m.view[name]
	if e.origin == "" || e.own || !m.touched(name) {
		return false
	}
	return m.uncertain && m.suspect || !m.uncertain && m.store.tree()[e.origin].text != e.base
}

func (m *machine) writeFile(name string, w int, text string, sync bool) error {
	f, err := m.fs.OpenFile(name, w, 0o644)
	if err != nil {
		return err
	}
	half := len(text) / 2
	_, err = f.WriteString(text[:half])
	if err == nil {
		_, err = f.WriteString(text[half:])
	}
	if err == nil && sync {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

// synced notes that a text is to last.
func (m *model) synced(name string) {
	e := m.view[name]
	e.lasting = name
	m.view[name] = e
}

// leftOver looks at what a write that failed has left: what was there, or what it has written so far.
func (m *machine) leftOver(name, text string, w int) {
	m.look(name)
	shown, there := m.tree(true)[name]
	e, was := m.view[name]
	// It may have been fetched for the write.
	if now, ok := m.store.tree()[e.origin]; ok && was && e.text == e.base && shown.text == now.text {
		e.text, e.base, e.perm = now.text, now.text, shown.perm
		m.view[name] = e
	}
	if e.mtime != shown.mtime {
		e.mtime = 0 // a write takes back what Chtimes has set
	}
	if was == there && (!was || e.sees(shown)) {
		if was && e.typ == 0 {
			e.partly = true
			m.view[name] = e
			m.store.allow(e.text) // one that a dead process has left is taken over by who opens and closes it
		}
		return
	}
	require.True(m.rt, there, "%s is not there any more", name)
	n := 0
	for n < len(shown.text) && n < len(text) && shown.text[n] == text[n] {
		n++
	}
	rest := ""
	switch {
	case w == overwrite && n < len(e.text):
		rest = e.text[n:]
	case w == extend:
		require.GreaterOrEqual(m.rt, n, len(e.text), "what was there before the write")
	}
	if w != create || !m.store.made(shown.text) { // that may be an old copy, which was to be emptied
		require.Equal(m.rt, text[:n]+rest, shown.text, "%s holds what nobody wrote", name)
	}
	m.written(name, shown.text)
	e = m.view[name]
	e.partly, e.perm = true, shown.perm
	m.view[name] = e
	m.store.allow(shown.text) // that it was closed may outlast what comes next
	m.again(name)
}

// again writes a file of which a part may be left anew, or removes it.
func (m *machine) again(name string) {
	if rapid.Bool().Draw(m.rt, "remove what is left") {
		require.NoError(m.rt, m.fs.Remove(name))
		require.NoError(m.rt, m.remove(name))
		return
	}
	text := m.text("")
	m.store.commit(text)
	require.NoError(m.rt, m.writeFile(name, create, text, false))
	m.written(name, text)
	e := m.view[name]
	e.partly = false
	m.view[name] = e
}

// hold opens a file and writes to it.
func (m *machine) hold() {
	name := m.name("name")
	switch e, ok := m.view[name]; {
	case m.held != nil, !ok, e.typ != 0, m.way(name) != nil, e.partly, m.uncertain && e.stale, m.unsettled(name):
		return
	}
	f, err := m.fs.OpenFile(name, extend, 0)
	require.NoError(m.rt, err)
	if !m.uncertain {
		m.opened(name, m.store.tree(), extend)
	}
	old := m.view[name].text
	text := m.text(old)
	_, err = f.WriteString(strings.TrimPrefix(text, old))
	require.NoError(m.rt, err)
	m.rt.Logf("hold %s %s", name, label(text))
	m.held = f
	m.written(name, text)
	e := m.view[name]
	e.open = true
	m.view[name] = e
	m.store.name(text)
}

func (m *machine) heldName() (string, bool) {
	for name, e := range m.view {
		if e.open {
			return name, true
		}
	}
	return "", false
}

// release ends that.
func (m *machine) release() {
	if m.held == nil {
		return
	}
	f := m.held
	m.held = nil
	name, ok := m.heldName()
	m.rt.Logf("release %s", name)
	if ok {
		e := m.view[name]
		e.open = false
		m.view[name] = e
		m.store.commit(e.text)
	}
	require.NoError(m.rt, f.Close())
}
