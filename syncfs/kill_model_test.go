//go:build unix

package syncfs

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
)

// killModel is a plain directory on which the calls of a child are made as well, and what follows from them for a
// push: which files are being written, and which contents may ever be on the remote.
type killModel struct {
	dir    string
	caller killCaller
	files  map[uint64]*killFile // by inode
	whole  map[[32]byte]bool    // hashes of contents that may be on the remote
}

// killFile is a file that has been written through a handle.
type killFile struct {
	busy  bool
	maybe bool         // it may or may not be
	dirty map[int]bool // slots that wrote since their last commit
}

// newKillModel returns a model in a new directory with the entries of tree.
func newKillModel(t testing.TB, tree map[string]aferotest.Entry, whole map[[32]byte]bool) *killModel {
	m := &killModel{dir: t.TempDir(), files: map[uint64]*killFile{}, whole: whole}
	m.caller = killCaller{fs: aferotest.OS(m.dir), user: m}
	names := slices.Sorted(maps.Keys(tree))
	for _, name := range names {
		e, real := tree[name], filepath.Join(m.dir, name)
		if e.Type == fs.ModeDir {
			require.NoError(t, os.Mkdir(real, 0o700))
			continue
		}
		require.NoError(t, os.WriteFile(real, []byte(e.Content), 0o600))
		m.whole[sha256.Sum256([]byte(e.Content))] = true
	}
	for _, name := range slices.Backward(names) {
		require.NoError(t, os.Chmod(filepath.Join(m.dir, name), tree[name].Perm))
	}
	return m
}

func (m *killModel) byHand(name string, content []byte) error {
	m.whole[sha256.Sum256(content)] = true
	return afero.WriteFile(m.caller.fs, name, content, 0o644)
}

func (m *killModel) add(name string) error {
	_, err := m.caller.fs.Stat(name)
	return err
}

func (m *killModel) background(killOp) error { return nil }

// tree is what the directory holds.
func (m *killModel) tree(t testing.TB) map[string]aferotest.Entry {
	tree, err := aferotest.Tree(m.caller.fs)
	require.NoError(t, err)
	return tree
}

// call makes a call on the directory.
func (m *killModel) call(t testing.TB, op killOp) (string, error) {
	created := false
	if op.Kind == "open" {
		_, err := m.caller.fs.Stat(op.Name)
		created = err != nil
	}
	var ino uint64
	if op.Kind == "close" {
		ino = m.inode(t, op.Slot)
	}
	read, err := m.caller.call(op)
	if err != nil {
		return read, err
	}
	switch op.Kind {
	case "open":
		if created || op.Flag&os.O_TRUNC != 0 {
			m.file(m.inode(t, op.Slot)).write(op.Slot)
		}
	case "write", "truncate":
		m.file(m.inode(t, op.Slot)).write(op.Slot)
	case "sync":
		ino = m.inode(t, op.Slot)
		f := m.file(ino)
		delete(f.dirty, op.Slot)
		f.busy = false
		m.committed(t, ino)
	case "close":
		f := m.file(ino)
		if f.dirty[op.Slot] {
			delete(f.dirty, op.Slot)
			f.busy = f.busy && len(f.dirty) > 0
		}
		m.committed(t, ino)
	}
	return read, nil
}

func (f *killFile) write(slot int) { f.busy, f.dirty[slot] = true, true }

func (m *killModel) file(ino uint64) *killFile {
	f := m.files[ino]
	if f == nil {
		f = &killFile{dirty: map[int]bool{}}
		m.files[ino] = f
	}
	return f
}

func (m *killModel) inode(t testing.TB, slot int) uint64 {
	f := m.caller.slots[slot]
	if f == nil {
		return 0
	}
	fi, err := f.Stat()
	require.NoError(t, err)
	return inodeOf(fi)
}

func inodeOf(fi fs.FileInfo) uint64 {
	return uint64(fi.Sys().(*syscall.Stat_t).Ino) //nolint:unconvert // uint32 on FreeBSD before 12
}

// names are the paths of the files in the directory, by inode.
func (m *killModel) names(t testing.TB) map[uint64]string {
	names := map[uint64]string{}
	require.NoError(t, filepath.WalkDir(m.dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		fi, err := d.Info()
		if err == nil {
			names[inodeOf(fi)], err = filepath.Rel(m.dir, name)
		}
		return err
	}))
	return names
}

// committed notes that a file may be pushed as it is now.
func (m *killModel) committed(t testing.TB, ino uint64) {
	if name, ok := m.names(t)[ino]; ok && !m.file(ino).busy {
		b, err := os.ReadFile(filepath.Join(m.dir, name))
		require.NoError(t, err)
		m.whole[sha256.Sum256(b)] = true
	}
}

// busy are the names of files that are being written, and of those that may be.
func (m *killModel) busy(t testing.TB) (busy, maybe []string) {
	for ino, name := range m.names(t) {
		switch f := m.files[ino]; {
		case f == nil:
		case f.maybe:
			maybe = append(maybe, name)
		case f.busy:
			busy = append(busy, name)
		}
	}
	return busy, maybe
}

// interrupted marks files that were being written when a process died.
func (m *killModel) interrupted(t testing.TB, before, after []string) {
	for ino, name := range m.names(t) {
		was, is := slices.Contains(before, name), slices.Contains(after, name)
		if was || is {
			f := m.file(ino)
			f.busy, f.maybe = true, was != is
		}
	}
}

// interrupt makes the call that was under way when the process died. It returns the states that the process may have
// left: that of before, those between, and that of after. Of a large write the system may have done a part: got tells
// how much.
func (m *killModel) interrupt(t testing.TB, op *killOp, got map[string]aferotest.Entry) (states []map[string]aferotest.Entry) {
	states = append(states, m.tree(t))
	if op == nil {
		return states
	}
	if op.Kind == "mkdirall" {
		_, _ = m.call(t, killOp{Kind: "mkdir", Name: path.Dir(op.Name), Mode: op.Mode})
		states = append(states, m.tree(t))
	}
	name, old := "", ""
	if op.Kind == "write" && m.caller.slots[op.Slot] != nil {
		name = m.names(t)[m.inode(t, op.Slot)]
		old = states[0][name].Content
	}
	_, _ = m.call(t, *op)
	after := m.tree(t)
	states = append(states, after)
	if name != "" {
		states = append(states, partly(after, got, name, old, *op))
	}
	return states
}

// partly is the state after the part of a write that shows in got.
func partly(after, got map[string]aferotest.Entry, name, old string, op killOp) map[string]aferotest.Entry {
	data, there := op.bytes(), got[name].Content
	n := 0
	for n < len(data) && int(op.Off)+n < len(there) && there[int(op.Off)+n] == data[n] {
		n++
	}
	content := make([]byte, max(len(old), int(op.Off)+n))
	copy(content, old)
	copy(content[op.Off:], data[:n])
	state, e := maps.Clone(after), after[name]
	e.Content, e.Size = string(content), int64(len(content))
	state[name] = e
	return state
}

// matching returns which of the states a tree is in.
func matching(t testing.TB, states []map[string]aferotest.Entry, got map[string]aferotest.Entry) int {
	t.Helper()
	diffs := ""
	for i, state := range states {
		diff := aferotest.Diff(state, got)
		if diff == "" {
			return i
		}
		if i < 3 {
			diffs += fmt.Sprintf("\nagainst state %d:\n%s", i, diff)
		}
	}
	require.Fail(t, "the view after the restart is none of the states that there may be", diffs)
	return 0
}
