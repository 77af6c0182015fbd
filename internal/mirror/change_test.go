package mirror

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// changing is a mirror whose program changes files locally, as that of syncfs does, and whose user works in the local directory
// by hand. The remote does not change.
type changing struct {
	*rapid.T
	remote, local afero.Fs
	m             *FS

	there map[string]string // what the remote has
	sees  map[string]string // what the program sees
	// changed are the files whose bytes are only here.
	changed map[string]bool
}

var changingNames = []string{"a", "b", "c", "d/a", "d/b"}

func newChanging(t *rapid.T) *changing {
	c := &changing{T: t, remote: crashfs.New(nil), local: crashfs.New(nil),
		there: map[string]string{}, changed: map[string]bool{}}
	require.NoError(t, c.remote.Mkdir("/d", 0o755))
	for _, name := range []string{"a", "b", "d/a"} {
		c.there[name] = "of the remote: " + name
		require.NoError(t, afero.WriteFile(c.remote, "/"+name, []byte(c.there[name]), 0o644))
	}
	c.sees = maps.Clone(c.there)
	c.open()
	return c
}

func (c *changing) open() {
	m, err := Open(c.remote, c.local, Options{})
	require.NoError(c, err)
	c.m = m
}

func (c *changing) name() string { return rapid.SampledFrom(changingNames).Draw(c.T, "name") }

// openFile opens a file to be written, as syncfs does.
func (c *changing) openFile(name string, flag int) (f *File, err error) {
	err = c.m.Do(func(v *View) error {
		p, err := v.Find(name, true)
		if err != nil {
			return err
		}
		exists, err := p.Exists()
		switch {
		case err != nil:
			return err
		case !exists:
			f, err = v.NewFile(p, name, flag, 0o644)
			return err
		case p.Node != nil && v.Lost(p.Node):
			f, err = v.Emptied(p.Node, name, flag)
			return err
		case p.Local != nil:
			f, err = v.OpenLocal(p, name, flag, c.adopt)
			return err
		}
		n := v.Materialize(p)
		if err := v.Verify(n); err != nil {
			return err
		}
		if flag&os.O_TRUNC != 0 {
			f, err = v.Emptied(n, name, flag)
			return err
		}
		if err := v.Present(n); err != nil {
			return err
		}
		f, err = v.OpenNode(n, name, flag)
		return err
	})
	if err == nil {
		err = f.Empty()
	}
	return f, err
}

// adopt makes a node of a file of the user's.
func (c *changing) adopt(name string) (n *tree.Node, err error) {
	err = c.m.Do(func(v *View) error {
		p, err := v.Find(name, false)
		switch {
		case err != nil:
			return err
		case p.Node != nil:
			n = p.Node
			return nil
		case p.Local == nil:
			return fs.ErrNotExist
		}
		if _, err := v.UsersContent(p); err != nil {
			return err
		}
		a, err := v.Ask(tree.Join(p.Dir.RemotePath(), p.Name))
		if err != nil {
			return err
		}
		if _, hidden := p.Dir.Hidden(p.Name); a.Known == tree.Exists && !hidden {
			n = v.tree.Discover(p.Dir, p.Name, tree.File, a.Meta, v.Now())
			n.Known = tree.Unknown
		} else {
			n = v.tree.Create(p.Dir, p.Name, tree.File, LocalMeta(*p.Local), tree.Absent, v.Now())
		}
		v.tree.Change(n, tree.Copy{Stamp: tree.Stamp(p.Local.Stamp), Added: true})
		return nil
	})
	return n, err
}

func (c *changing) write() {
	name := c.name()
	flag := os.O_RDWR | rapid.SampledFrom([]int{os.O_TRUNC, os.O_APPEND}).Draw(c.T, "flag")
	f, err := c.openFile(name, flag)
	require.NoError(c, err)
	if flag&os.O_TRUNC != 0 && !c.users(name) {
		c.sees[name], c.changed[name] = "", true
	}
	if _, exists := c.sees[name]; !exists {
		c.sees[name], c.changed[name] = "", true
	}
	for range rapid.IntRange(0, 2).Draw(c.T, "writes") {
		text := rapid.SampledFrom([]string{"x", "more"}).Draw(c.T, "text")
		_, err = f.Seek(0, 2)
		require.NoError(c, err)
		_, err = f.WriteString(text)
		require.NoError(c, err)
		c.sees[name] += text
		c.changed[name] = true
		if rapid.Bool().Draw(c.T, "sync") {
			require.NoError(c, f.Sync())
		}
		fi, err := f.Stat()
		require.NoError(c, err)
		require.EqualValues(c, len(c.sees[name]), fi.Size())
	}
	require.NoError(c, f.Close())
}

// users says whether a file is the user's: no node has it.
func (c *changing) users(name string) (yes bool) {
	s, err := c.m.Status(name)
	require.NoError(c, err)
	return s.State == Local
}

func (c *changing) remove() {
	name := c.name()
	if _, exists := c.sees[name]; !exists || c.users(name) {
		return
	}
	require.NoError(c, c.m.Do(func(v *View) error {
		p, err := v.Find(name, false)
		if err == nil {
			err = p.Err()
		}
		if err != nil {
			return err
		}
		n := v.Materialize(p)
		v.ShowRemoved(n)
		var actions []tree.Action
		if n.Local() {
			actions = append(actions, tree.Action{Kind: tree.RenameLocal, From: n.Path(), To: v.TrashName()})
		}
		v.tree.Unlink(n, v.Now())
		if err := v.Save(actions...); err != nil {
			return err
		}
		v.Tidy(p.Dir)
		return nil
	}))
	delete(c.sees, name)
	delete(c.changed, name)
}

func (c *changing) rename() {
	from, to := c.name(), c.name()
	if _, exists := c.sees[from]; !exists || c.users(from) || from == to {
		return
	}
	if _, exists := c.sees[to]; exists {
		return
	}
	err := c.m.Do(func(v *View) error {
		old, err := v.Find(from, false)
		if err != nil {
			return err
		}
		new, err := v.Find(to, false)
		if err != nil {
			return err
		}
		if exists, err := new.Exists(); exists || err != nil {
			return errors.Join(fs.ErrExist, err)
		}
		n := v.Materialize(old)
		v.tree.Move(n, new.Dir, new.Name, new.Answer.Known, v.Now())
		if !n.Local() {
			return v.Save()
		}
		return v.Save(tree.Action{Kind: tree.RenameLocal, From: old.Path(), To: n.Path()})
	})
	if errors.Is(err, fs.ErrExist) { // changed, and deleted by hand: it is still queued
		return
	}
	require.NoError(c, err)
	c.sees[to], c.changed[to] = c.sees[from], c.changed[from]
	c.there[to] = c.there[from] // of the node
	delete(c.sees, from)
	delete(c.changed, from)
}

// byHand changes the local directory.
func (c *changing) byHand() {
	name := c.name()
	_, exists := c.sees[name]
	info, err := c.local.Stat("/" + name)
	here := err == nil && info.Mode().IsRegular()
	switch op := rapid.SampledFrom([]string{"write", "delete", "touch"}).Draw(c.T, "by hand"); {
	case op == "write":
		content := fmt.Sprint("by hand ", time.Now().UnixNano())
		require.NoError(c, c.local.MkdirAll("/d", 0o755))
		require.NoError(c, afero.WriteFile(c.local, "/"+name, []byte(content), 0o644))
		c.sees[name] = content
	case op == "touch" && here:
		require.NoError(c, c.local.Chtimes("/"+name, time.Unix(1, 0), time.Unix(1, 0)))
	case op == "delete" && here && exists:
		users := c.users(name)
		require.NoError(c, c.local.Remove("/"+name))
		switch {
		case c.changed[name]:
			delete(c.sees, name) // and still queued
		case users:
			delete(c.sees, name)
			c.look(name) // what it has hidden shows again
		default:
			c.sees[name] = c.there[name]
		}
	}
}

// look has the program read a file.
func (c *changing) look(name string) {
	got, err := readAll(c.m, name)
	want, exists := c.sees[name]
	if !exists {
		if err == nil { // what the user's file has hidden on the remote shows again
			c.sees[name] = string(got)
			return
		}
		require.ErrorIs(c, err, fs.ErrNotExist, name)
		return
	}
	require.NoError(c, err, name)
	require.Equal(c, want, string(got), name)
	fi, err := c.m.Stat(name, true)
	require.NoError(c, err)
	require.EqualValues(c, len(want), fi.Size())
}

// What the program sees is what it has written, what the user has put there by hand, and else what the remote has.
func TestViewOfLocalChanges(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newChanging(t)
		defer func() { require.NoError(t, c.m.Close()) }()
		act := func(do func()) func(*rapid.T) {
			return func(t *rapid.T) {
				c.T = t
				do()
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"write":   act(c.write),
			"remove":  act(c.remove),
			"rename":  act(c.rename),
			"by hand": act(c.byHand),
			"look":    act(func() { c.look(c.name()) }),
			"restart": act(func() {
				require.NoError(c, c.m.Close())
				c.open()
			}),
			"list": act(func() {
				f, err := c.m.OpenRead("d")
				require.NoError(c, err)
				got, err := f.Readdirnames(-1)
				require.NoError(c, errors.Join(err, f.Close()))
				for _, name := range []string{"a", "b"} {
					if _, exists := c.sees["d/"+name]; exists {
						require.Contains(c, got, name)
					}
				}
				require.True(c, slices.IsSorted(got))
			}),
			"evict": act(func() { _ = c.m.Evict(c.name()) }),
		})
		c.T = t
		for _, name := range changingNames {
			c.look(name)
		}
	})
}
