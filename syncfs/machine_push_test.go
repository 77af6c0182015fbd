package syncfs

import (
	"context"
	"errors"
	"maps"
	"path"
	"slices"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/lateremote"
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// push pushes, with or without trouble.
func (m *machine) push() { m.pushWith(troublesOfPush) }

func (m *machine) pushWith(troubles []string) {
	remote := m.store.tree()
	var clashes []string
	if !m.uncertain {
		clashes = m.conflicts(remote)
	}
	queued := m.fs.Pending()
	bases := m.bases()
	t := m.armWith(troubles)
	report, err := m.fs.Push(t.ctx)
	m.rt.Logf("push: %v", err)
	if errors.Is(err, ErrConflict) {
		m.count.conflicts.Add(1)
	}
	came := m.came(t)
	switch {
	case came && t.after != nil:
		m.powerLost(t, m.model)
	case err == nil:
		require.Empty(m.rt, clashes, "pushed in spite of conflicts")
		m.unharmed(remote, bases)
		m.pushed()
	case came:
		for _, e := range spread(err) {
			switch {
			case errors.Is(e, faultfs.ErrInjected), errors.Is(e, errKilled), errors.Is(e, context.Canceled),
				errors.Is(e, lateremote.ErrLost):
			case errors.Is(e, ErrBusy):
				m.busy(e)
			case errors.Is(e, ErrConflict):
				require.True(m.rt, m.suspect, "%v", e)
			default:
				m.expected("push", e)
			}
		}
		if m.suspect {
			m.look("")
			m.wayOut()
		}
	default:
		m.unharmed(remote, bases)
		if m.with.swaps {
			require.False(m.rt, m.store.parked(), "a conflict has hidden a file")
		}
		m.notPushed(report, queued, clashes, err)
	}
}

// bases are the texts that this side may replace or remove.
func (m *machine) bases() map[string]bool {
	all := map[string]bool{}
	for _, e := range m.view {
		all[e.base], all[e.text] = true, true
	}
	for _, base := range m.gone {
		all[base] = true
	}
	return all
}

// unharmed requires that a push has left alone what this side has not seen.
func (m *machine) unharmed(before map[string]entry, bases map[string]bool) {
	if m.uncertain {
		return
	}
	left := map[string]bool{}
	for _, e := range m.store.tree() {
		left[e.text] = true
	}
	for name, e := range before {
		require.True(m.rt, left[e.text] || bases[e.text], "%s, %v, was lost unseen", name, e)
	}
}

// pushed requires that the remote is what the program sees.
func (m *machine) pushed() {
	m.rt.Helper()
	require.Empty(m.rt, m.fs.Pending())
	require.Empty(m.rt, slices.DeleteFunc(m.store.temporary(), func(name string) bool { return m.leftovers[path.Base(name)] }))
	remote := m.store.tree()
	for name, e := range m.view {
		unasked := m.uncertain && m.opts.Cache.Revalidate == 0 && !m.touched(name)
		if e.stale || unasked { // nothing of it was queued
			remote[name] = e
		}
	}
	require.Empty(m.rt, m.diff(remote, ""), "the remote")
	for name, e := range m.view {
		require.False(m.rt, e.open, name)
		if !e.stale {
			e.base = e.text
		}
		e.origin, e.own, e.changed, e.partly = name, false, false, false
		m.view[name] = e
	}
	clear(m.gone)
	m.uncertain, m.suspect = false, false
}

// notPushed looks into why a push without trouble failed.
func (m *machine) notPushed(report Report, queued []Change, clashes []string, err error) {
	conflicts, busy := false, false
	failed := map[string]bool{}
	for _, r := range report.Results {
		if r.Err == nil {
			continue
		}
		for _, name := range []string{r.Name, r.NewName} {
			failed[name] = true
		}
		switch {
		case errors.Is(r.Err, ErrConflict):
			conflicts = true
		case errors.Is(r.Err, ErrBusy):
			busy = true
			m.busy(r.Err)
		default:
			require.NoError(m.rt, r.Err)
		}
	}
	require.True(m.rt, conflicts || busy, "%v", err)
	if !m.uncertain {
		if conflicts {
			require.NotEmpty(m.rt, clashes, "%v", err)
		}
		if !busy && !m.with.ordered { // which holds back what was queued later
			m.exactly(queued, clashes, failed)
		}
	} else if conflicts {
		require.True(m.rt, m.suspect, "%v", err)
	}
	m.doubt()
	m.suspect = m.suspect || len(clashes) > 0
	m.look("")
	if conflicts {
		m.wayOut()
	} else if busy && m.held == nil {
		for name, e := range m.view {
			if e.partly {
				m.again(name)
			}
		}
	}
}

// busy requires that a file may be reported as one that is being written.
func (m *machine) busy(err error) {
	for _, e := range m.view {
		if e.open || e.partly {
			return
		}
	}
	require.NoError(m.rt, err)
}

// exactly requires that what is in conflict has failed, and with it nothing but what has to do with that.
func (m *machine) exactly(queued []Change, clashes []string, failed map[string]bool) {
	involved := map[string]bool{}
	for _, name := range clashes {
		involved[name] = true
	}
	related := func(name string) bool {
		for other := range involved {
			if name != "" && (within(name, other) || within(other, name)) {
				return true
			}
		}
		return false
	}
	for again := true; again; {
		again = false
		for _, c := range queued {
			if (related(c.Name) || related(c.NewName)) && !(involved[c.Name] && (c.NewName == "" || involved[c.NewName])) {
				involved[c.Name], again = true, true
				if c.NewName != "" {
					involved[c.NewName] = true
				}
			}
		}
	}
	for name := range failed {
		require.True(m.rt, name == "" || involved[name], "%s failed, in conflict are %v", name, clashes)
	}
	for _, c := range m.fs.Pending() {
		require.True(m.rt, related(c.Name) || related(c.NewName), "%v is left, in conflict are %v", c, clashes)
	}
}

// wayOut brings both sides together, by whichever of the ways there are where something is in conflict.
func (m *machine) wayOut() {
	m.release()
	m.doubt()
	_, err := m.fs.Push(context.Background())
	if err != nil {
		for _, name := range m.names() {
			if m.view[name].partly {
				m.again(name)
			}
		}
		m.look("")
		_, err = m.fs.Push(context.Background())
	}
	if err == nil {
		m.pushed()
		m.look("")
		return
	}
	require.False(m.rt, m.calm(), "%v", err)
	onlyConflicts(m.rt, err)
	if rapid.Bool().Draw(m.rt, "overwrite") {
		m.rt.Logf("overwrite")
		err = m.overwriting()
		if err == nil {
			m.overtaken()
			m.pushed()
			m.look("")
			return
		}
		onlyConflicts(m.rt, err)
	}
	m.rt.Logf("discard")
	before := m.store.tree()
	aside := m.store.parked()
	require.NoError(m.rt, m.fs.Discard())
	_, err = m.fs.Push(context.Background())
	require.NoError(m.rt, err)
	if !aside { // else that gets a name
		require.Empty(m.rt, settled(before).diff(m.store.tree(), ""), "a push of nothing")
	}
	if m.opts.Cache.Revalidate == 0 {
		_, err = m.fs.Pull(context.Background(), "/")
		require.NoError(m.rt, err)
	}
	old := m.old
	m.model = settled(m.store.tree())
	m.old = old
	require.Empty(m.rt, m.diff(m.tree(true), ""), "the view after all was discarded")
	m.pushed()
}

func onlyConflicts(t require.TestingT, err error) {
	for _, e := range spread(err) {
		require.ErrorIs(t, e, ErrConflict)
	}
}

// overwriting pushes with that policy.
func (m *machine) overwriting() error {
	again := func(policy ConflictPolicy) {
		require.NoError(m.rt, m.fs.Close())
		m.opts.Conflict = policy
		require.NoError(m.rt, m.open())
	}
	again(Overwrite)
	_, err := m.fs.Push(context.Background())
	again(Fail)
	return err
}

// overtaken follows the remote in what is pushed without a content, and in the mode and time that nobody has set here.
func (m *machine) overtaken() {
	remote := m.store.tree()
	for name, e := range m.view {
		now, there := remote[name]
		if !there || e.typ != 0 || !m.touched(name) {
			continue
		}
		if !e.own && e.text != now.text {
			e.text, e.stale, e.mtime = now.text, false, 0
			e.lasting = "" // it is the other client's
		}
		e.perm = now.perm
		m.view[name] = e
	}
}

var othersOps = rapid.SampledFrom([]string{"write", "write", "make", "make", "remove", "rename", "mkdir", "removeall"})

// other has the other client change something.
func (m *machine) other() {
	if m.uncertain || len(m.line.Held()) > 0 { // what is executed late may replace what this side has not seen
		return
	}
	m.edited = true
	defer m.pass(listsLast)
	remote := m.store.tree()
	names := slices.Sorted(maps.Keys(remote))
	files, dirs := []string{}, []string{""}
	for _, name := range names {
		if remote[name].typ.IsDir() {
			dirs = append(dirs, name)
		} else {
			files = append(files, name)
		}
	}
	made := func() string {
		name := rapid.SampledFrom(dirs).Draw(m.rt, "directory")
		if name != "" {
			name += "/"
		}
		return name + m.element("name")
	}
	switch op := othersOps.Draw(m.rt, "other"); {
	case op == "write" && len(files) > 0:
		m.others(op, rapid.SampledFrom(files).Draw(m.rt, "file"))
	case op == "make":
		if name := made(); remote[name].typ == 0 && !m.hasDir(name) {
			m.others(op, name)
		}
	case op == "remove" && len(files) > 0:
		if name := rapid.SampledFrom(files).Draw(m.rt, "file"); !m.taken(name) {
			m.rt.Logf("other removes %s", name)
			require.NoError(m.rt, m.store.Fs.Remove("/"+name))
		}
	case op == "rename" && len(files) > 0:
		name, to := rapid.SampledFrom(files).Draw(m.rt, "file"), made()
		if _, there := remote[to]; !there && !m.hasDir(to) && !m.taken(name) {
			m.rt.Logf("other renames %s %s", name, to)
			require.NoError(m.rt, m.store.Fs.Rename("/"+name, "/"+to))
		}
	case op == "mkdir":
		name := made()
		if _, there := remote[name]; !there && !m.has(name) {
			m.rt.Logf("other makes directory %s", name)
			require.NoError(m.rt, m.store.Fs.Mkdir("/"+name, 0o755))
		}
	case op == "removeall" && len(dirs) > 1:
		if name := rapid.SampledFrom(dirs[1:]).Draw(m.rt, "directory"); m.untouched(name) && !m.taken(name) {
			m.rt.Logf("other removes all %s", name)
			require.NoError(m.rt, m.store.Fs.RemoveAll("/"+name))
			if m.opts.Cache.Revalidate == 0 {
				_, err := m.fs.Pull(context.Background(), "/")
				require.NoError(m.rt, err)
				m.pulled()
			}
		}
	}
}

// taken says whether a request that may still be carried out takes something away that is under a name of the remote, or
// below it. If the other client does, nobody can tell that from the request.
func (m *machine) taken(name string) (yes bool) {
	require.NoError(m.rt, m.fs.m.Do(func(v *mirror.View) error {
		for _, g := range v.Tree().Guards() {
			yes = yes || tree.Within(g.Intent.From, name) || tree.Within(name, g.Intent.From)
		}
		return nil
	}))
	return yes
}

func (m *machine) others(op, name string) {
	text, mtime := m.text(""), int64(0)
	if rapid.Bool().Draw(m.rt, "long ago") {
		mtime = m.past()
	}
	m.edited = true
	m.rt.Logf("other %ss %s %s", op, name, label(text))
	require.NoError(m.rt, m.store.serve(name, text, mtime))
	m.pass(listsLast)
}

// has says whether this side has made, or moved, something to a name of the remote.
func (m *machine) has(name string) bool {
	for n, e := range m.view {
		if place, ok := m.place(n); ok && place == name && e.origin != name || e.origin == name {
			return true
		}
	}
	_, gone := m.gone[name]
	_, goneDir := m.gone[name+"/"]
	return gone || goneDir
}

// hasDir says the same of a directory.
func (m *machine) hasDir(name string) bool {
	for n, e := range m.view {
		if place, ok := m.place(n); e.typ.IsDir() && (ok && place == name || e.origin == name) {
			return true
		}
	}
	_, goneDir := m.gone[name+"/"]
	return goneDir
}

// untouched says whether nothing is queued about a directory of the remote and what is in it.
func (m *machine) untouched(dir string) bool {
	at, ok := m.at(dir)
	if !ok {
		return false
	}
	for name, e := range m.view {
		if (within(name, at) || within(e.origin, dir)) && (m.touched(name) || !within(name, at) || !within(e.origin, dir)) {
			return false
		}
	}
	for name := range m.gone {
		if within(name, dir) {
			return false
		}
	}
	return true
}
