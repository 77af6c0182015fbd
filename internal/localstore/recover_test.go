package localstore

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// A process that dies between the record of a rename and the rename leaves it to the next one, which makes it once: at the
// start after that, the name may have other bytes.
func TestWhatWasRecordedIsMadeOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	require.NoError(t, r.arrive("a"))
	require.NoError(t, r.arrive("b"))
	r.dieAtRename()
	require.ErrorIs(t, r.move("a", "b"), errDied)
	for range 3 {
		r.restart()
		require.Nil(t, r.s.tree.Lookup("a"))
		r.agrees(false)
	}
}

var errDied = errors.New("died")

// dieAtRename has the process do nothing any more from its next rename on.
func (r *rig) dieAtRename() {
	r.plan.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Rename {
			r.plan.Offline(errDied)
			return errDied
		}
		return nil
	})
}

// What was deleted by hand is not taken away from its name later, when that has other bytes.
func TestDeletedByHandAndReplaced(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	require.NoError(t, r.arrive("a"))
	require.NoError(t, r.arrive("b"))
	require.NoError(t, r.disk.Remove("/b"))
	actions, _, _ := r.s.identify([]tree.Action{
		{Kind: tree.RenameLocal, From: "b", To: localdir.TrashDir + "/b"}, {Kind: tree.RenameLocal, From: "a", To: "b"},
		{Kind: tree.MkdirLocal, To: "d"}, {Kind: tree.RenameLocal, From: "b", To: "d/b"}, {Kind: tree.RenameLocal, From: "d/b", To: "c"},
	})
	require.Len(t, actions, 4)
	require.Equal(t, "a", actions[0].From)
}

// A mark that could not be written stands in the way of compaction: without the record that it is about, it would be damage.
func TestNoCompactionWhileAMarkIsOwed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.s.live.Store(1 << 40) // not yet
	for i := 0; r.s.log.Size() <= leastCompacted; i++ {
		r.s.tree.Touch(r.link(fmt.Sprintf("l%d", i)))
		require.NoError(t, r.s.Save())
	}
	r.s.live.Store(0)
	appends := 0
	r.plan.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.WriteAt && strings.HasPrefix(op.Name, "/"+logName) {
			if appends++; appends == 2 {
				return errors.New("full for a moment")
			}
		}
		return nil
	})
	require.NoError(t, r.mkdir("d"))
	r.plan.Heal()
	require.Len(t, r.s.owed, 1)
	r.s.workers.Wait()
	require.NoError(t, r.s.Close())
	require.NoError(t, r.local.Close())
	r.open()
	require.NoError(t, r.s.Damage())
	require.NotNil(t, r.s.tree.Lookup("l0"))
}

// link is a node with a long record.
func (r *rig) link(name string) *tree.Node {
	n := r.s.tree.Discover(r.s.tree.Root(), name, tree.Link, tree.Meta{}, 1)
	n.SetTarget(strings.Repeat("x", 4000))
	return n
}

// The log is rewritten once most of it is history.
func TestCompaction(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.link("l")
	largest := int64(0)
	for i := range 3000 {
		r.s.tree.Edit(n).SetTarget(strings.Repeat(string(rune('a'+i%20)), 4000))
		r.s.tree.Touch(n)
		require.NoError(t, r.s.Save())
		r.s.workers.Wait()
		largest = max(largest, r.s.log.Size())
	}
	require.Less(t, largest, int64(leastCompacted+1<<20))
	r.restart()
	require.NoError(t, r.s.Damage())
	require.Equal(t, strings.Repeat(string(rune('a'+2999%20)), 4000), r.s.tree.Lookup("l").Target())
}

// A log that is missing, cut or damaged is noticed, and that it once was stays known.
func TestLostRecords(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(t *testing.T, r *rig){
		"missing": func(t *testing.T, r *rig) { require.NoError(t, r.disk.Remove("/"+logName)) },
		"cut": func(t *testing.T, r *rig) {
			fi, err := r.disk.Stat("/" + logName)
			require.NoError(t, err)
			f, err := r.disk.OpenFile("/"+logName, os.O_RDWR, 0)
			require.NoError(t, err)
			require.NoError(t, errors.Join(f.Truncate(fi.Size()-1), f.Close()))
		},
		"damaged": func(t *testing.T, r *rig) {
			text, err := afero.ReadFile(r.disk, "/"+logName)
			require.NoError(t, err)
			text[len(text)/2] ^= 1
			require.NoError(t, afero.WriteFile(r.disk, "/"+logName, text, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			require.False(t, r.s.Lost())
			require.NoError(t, r.arrive("a"))
			require.NoError(t, r.arrive("b"))
			require.NoError(t, r.s.Close())
			require.NoError(t, r.local.Close())
			lose(t, r)
			r.open()
			require.Error(t, r.s.Damage())
			require.True(t, r.s.Lost())
			r.agrees(false)
			r.restart()
			require.NoError(t, r.s.Damage())
			require.True(t, r.s.Lost())
		})
	}
}

// What was on its way when the process died is brought to an end, or told apart from what is whole.
func TestOnTheWay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		begin func(r *rig, n *tree.Node)
		by    func(r *rig) // what happens while no process runs
		want  tree.Content
		gone  bool
	}{
		"written":                  {begin: func(r *rig, n *tree.Node) { r.s.tree.Begin(n) }, want: tree.Interrupted},
		"written, deleted":         {begin: func(r *rig, n *tree.Node) { r.s.tree.Begin(n) }, by: func(r *rig) { r.delete("f") }, want: tree.Remote},
		"made, and not there":      {begin: func(r *rig, _ *tree.Node) { r.s.tree.Begin(r.create("g")) }, want: tree.Owned, gone: true},
		"changed":                  {begin: func(r *rig, n *tree.Node) { r.change(n) }, want: tree.Changed},
		"changed, then missing":    {begin: func(r *rig, n *tree.Node) { r.change(n) }, by: func(r *rig) { r.delete("f") }, want: tree.Changed},
		"changed, then torn":       {begin: func(r *rig, n *tree.Node) { r.change(n) }, by: func(r *rig) { r.tear("f") }, want: tree.Interrupted},
		"installed":                {begin: func(r *rig, n *tree.Node) { r.install(n, true) }, want: tree.Owned},
		"installed, and lost":      {begin: func(r *rig, n *tree.Node) { r.install(n, false) }, by: func(r *rig) { r.delete("f") }, want: tree.Remote},
		"installed, not there yet": {begin: func(r *rig, n *tree.Node) { r.install(n, false) }, want: tree.Owned},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			require.NoError(t, r.arrive("f"))
			n := r.s.tree.Lookup("f")
			c.begin(r, n)
			require.NoError(t, r.s.Save())
			r.kill()
			if c.by != nil {
				c.by(r)
			}
			r.open()
			require.Equal(t, c.want, r.s.tree.Lookup("f").Content())
			require.Empty(t, r.s.tree.Lookup("f").Copy().Installing())
			require.Nil(t, r.s.tree.Lookup("g"))
		})
	}
}

func (r *rig) delete(name string) { require.NoError(r.t, r.disk.Remove("/"+name)) }

func (r *rig) tear(name string) {
	require.NoError(r.t, afero.WriteFile(r.disk, "/"+name, []byte("to"), 0o644))
	require.NoError(r.t, r.disk.Chtimes("/"+name, time.Unix(0, 5), time.Unix(0, 5)))
}

func (r *rig) create(name string) *tree.Node {
	return r.s.tree.Create(r.s.tree.Root(), name, tree.File, tree.Meta{}, tree.Absent, 1)
}

func (r *rig) change(n *tree.Node) {
	info, err := r.local.Lstat(n.Path())
	require.NoError(r.t, err)
	r.s.tree.Change(n, tree.Copy{Stamp: tree.Stamp(info.Stamp)})
}

// install has another version of a file about to come to its name.
func (r *rig) install(n *tree.Node, there bool) {
	temp := localdir.TmpDir + "/landing"
	stamp := tree.Stamp{Size: 5, MTime: 7}
	if there {
		info, err := r.write(temp, "later", 7)
		require.NoError(r.t, err)
		stamp = tree.Stamp(info.Stamp)
	}
	r.s.tree.MarkStale(n)
	r.s.tree.Install(n, tree.Copy{Stamp: stamp}.From(temp))
}

// What goes back from the trash and finds its name taken is kept.
func TestWhatGoesBackIsKept(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	require.NoError(t, r.arrive("a"))
	waiting := localdir.TrashDir + "/a"
	require.NoError(t, r.s.Rename("a", waiting))
	r.dieAtRename()
	require.ErrorIs(t, r.s.Save(tree.Action{Kind: tree.RenameLocal, From: waiting, To: "a"}), errDied)
	r.kill()
	require.NoError(t, afero.WriteFile(r.disk, "/a", []byte("of the user's"), 0o644))
	r.open()
	text, err := afero.ReadFile(r.disk, "/a")
	require.NoError(t, err)
	require.Equal(t, "of the user's", string(text))
	kept, err := afero.ReadDir(r.disk, localdir.DiscardedDir)
	require.NoError(t, err)
	require.Len(t, kept, 1)
	require.Nil(t, r.s.tree.Lookup("a"))
}

// A directory that was used is known by its record, which is written with care.
func TestDirectory(t *testing.T) {
	t.Parallel()
	faultfs.EachIndex(t, func(t *testing.T, p *faultfs.Plan) {
		r := &rig{t: t, disk: newRig(t).disk, plan: p}
		require.NoError(t, r.disk.RemoveAll("/"+localdir.StateDir))
		if err := r.tryOpen(); err != nil {
			require.ErrorIs(t, err, faultfs.ErrInjected)
		}
		p.Heal()
		r.kill()
		r.open()
		require.NoError(t, r.s.Damage())
		d, err := ReadDirectory(r.local)
		require.NoError(t, err)
		require.Equal(t, "remote", d.Remote)
		require.False(t, d.Lost)
		r.kill()
	}, faultfs.Fault{}, faultfs.Fault{Sticky: true})
}

// A rename by which bytes take the place of others that look the same, where files have no numbers, is recorded for good
// before it is made, and lasts before it is recorded as made.
func TestAlike(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		r := newRig(t)
		for _, name := range []string{"a", "b"} {
			require.NoError(t, r.arrive(name))
			require.NoError(t, r.local.Chtimes(name, time.Unix(1, 0), time.Unix(1, 0)))
			info, err := r.local.Lstat(name)
			require.NoError(t, err)
			r.s.tree.Restamp(r.s.tree.Lookup(name), tree.Stamp(info.Stamp))
			require.NoError(t, r.s.Save())
		}
		require.NoError(t, r.s.Sync())
		require.NoError(t, r.move("a", "b"))
		r.losePower(seed)
		r.agrees(true)
	}
}

// What cannot be done is taken back.
func TestUndo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	require.NoError(t, r.mkdir("d"))
	require.NoError(t, r.disk.Mkdir("/e", 0o755))
	require.NoError(t, r.disk.Mkdir("/e/full", 0o755))
	require.NoError(t, r.arrive("a"))
	require.NoError(t, afero.WriteFile(r.disk, "/file", nil, 0o644))
	require.Error(t, r.s.Save(
		tree.Action{Kind: tree.MkdirLocal, To: "new/below"},
		tree.Action{Kind: tree.RenameLocal, From: "a", To: "new/below/a"},
		tree.Action{Kind: tree.RmdirLocal, From: "e"}, // it is not empty: that is no error
		tree.Action{Kind: tree.RmdirLocal, From: "d"},
		tree.Action{Kind: tree.MkdirLocal, To: "file/below"},
	))
	r.agrees(false)
	for name, there := range map[string]bool{"d": true, "e/full": true, "new/below": false, "a": true} {
		_, err := r.disk.Stat("/" + name)
		require.Equal(t, there, err == nil, name)
	}
	r.restart()
	r.agrees(false)
}

// Names are told apart up to a bound; then all count as vacated.
func TestManyVacatedNames(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	require.True(t, r.s.Vacated("a"), "what an earlier process has done is not known")
	r.s.Lasting(r.s.Vacations())
	require.False(t, r.s.Vacated("a"))
	r.s.Vacate("d/a")
	for name, want := range map[string]bool{"d/a": true, "d": true, "d/a/b": true, "d/b": false, "e": false} {
		require.Equal(t, want, r.s.Vacated(name), name)
	}
	recorded := r.s.Vacations()
	r.s.Vacate("e")
	r.s.Lasting(recorded)
	require.False(t, r.s.Vacated("d/a"))
	require.True(t, r.s.Vacated("e"))
	for i := range maxVacated {
		r.s.Vacate(fmt.Sprint(i))
	}
	require.True(t, r.s.Vacated("anything"))
}
