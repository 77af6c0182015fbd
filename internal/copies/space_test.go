package copies

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/download"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// filled has a bound that is reached with n copies of one byte each. Those that were used first are pinned, open or edited by
// another program, a third each; they are half of all.
func filled(t *testing.T, n int) (*rig, *faultfs.Plan) {
	plan := new(faultfs.Plan)
	unreadable := func(context.Context, string) {}
	r := newRig(t, plain, Options{MaxBytes: int64(n), Verify: unreadable})
	r.close()
	require.NoError(t, r.open(r.base, faultfs.New(r.disk, plan)))
	r.locked(func() {
		for i := range n {
			file := r.tree.Discover(r.tree.Root(), fmt.Sprint(i), tree.File, tree.Meta{Size: 1}, 1)
			r.set.Own(file, tree.Copy{Stamp: tree.Stamp{Size: 1}})
			switch {
			case i >= n/2:
			case i%3 == 0:
				r.tree.Pin(file, true)
			case i%3 == 1:
				r.tree.SetUsage(file, tree.InUse)
			default:
				require.NoError(t, afero.WriteFile(r.disk, fmt.Sprint(i), []byte("edited"), 0o644))
			}
		}
		require.NoError(t, r.store.Save())
	})
	return r, plan
}

// reserve makes room for a download of one byte.
func (r *rig) reserve() error {
	a := &shared{set: r.set, Download: new(download.Download)}
	return a.Reserve(nil, 1)
}

// What it takes to make room for one copy does not depend on how many there are: operations on the local directory are
// counted, and memory that is allocated. It is not parallel for the sake of the latter.
func TestMakingRoomCostsTheSame(t *testing.T) {
	cost := func(n int) (operations int, memory uint64) {
		r, plan := filled(t, n)
		require.NoError(t, r.reserve()) // what cannot be evicted is tried once
		operations = plan.Total()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 10 {
			require.NoError(t, r.reserve())
		}
		runtime.ReadMemStats(&after)
		require.EqualValues(t, 11, r.set.Counted.Evictions.Load())
		r.locked(func() { require.EqualValues(t, n, r.set.Used()) })
		return plan.Total() - operations, after.TotalAlloc - before.TotalAlloc
	}
	operations, memory := cost(600)
	operationsOfMany, memoryOfMany := cost(6000)
	require.Equal(t, operations, operationsOfMany)
	require.Less(t, memoryOfMany, 2*memory+8<<10)
}

// The copy that was used least recently makes room for a new one.
func TestEviction(t *testing.T) {
	t.Parallel()
	r := newRig(t, plain, Options{MaxBytes: 20})
	for _, name := range []string{"a", "b", "c"} {
		r.put(name, "8 bytes.")
	}
	a, b, c := r.node("a"), r.node("b"), r.node("c")
	require.NoError(t, r.fetch(a))
	require.NoError(t, r.fetch(b))
	r.locked(func() { r.tree.SetUsage(a, tree.InUse); r.tree.SetUsage(a, tree.Unused) })
	require.NoError(t, r.fetch(c))
	require.Nil(t, r.onDisk("b"))
	require.NotNil(t, r.onDisk("a"))
	require.NotNil(t, r.onDisk("c"))
	require.EqualValues(t, 1, r.set.Counted.Evictions.Load())
	require.EqualValues(t, 8, r.set.Counted.EvictedBytes.Load())
	r.requireClean()

	require.ErrorIs(t, r.fetch(r.node("file")), download.ErrNoRoom, "not in the place of all others")
	r.requireClean()
	require.NotNil(t, r.onDisk("c"))
}

// A bound that is lower than the last time holds from the start.
func TestLowerBound(t *testing.T) {
	t.Parallel()
	r := newRig(t, plain, Options{})
	for _, name := range []string{"a", "b"} {
		r.put(name, "8 bytes.")
		require.NoError(t, r.fetch(r.node(name)))
	}
	r.close()
	r.options.MaxBytes = 10
	require.NoError(t, r.open(r.base, r.disk))
	r.locked(r.set.Bound)
	require.Nil(t, r.onDisk("a"))
	require.NotNil(t, r.onDisk("b"))
	r.requireClean()
}

// What a push makes a copy of may be too much, and what is evicted for it is what it was.
func TestMakeRoom(t *testing.T) {
	t.Parallel()
	r := newRig(t, plain, Options{MaxBytes: 10})
	r.put("a", "8 bytes.")
	require.NoError(t, r.fetch(r.node("a")))
	require.NoError(t, afero.WriteFile(r.disk, "/pushed", []byte("8 bytes."), 0o644))
	info, err := r.local.Lstat("pushed")
	require.NoError(t, err)
	r.locked(func() {
		n := r.tree.Discover(r.tree.Root(), "pushed", tree.File, tree.Meta{Size: 8}, 1)
		r.set.Own(n, tree.Copy{Stamp: tree.Stamp(info.Stamp)})
		require.NoError(t, r.store.Save())
		r.set.MakeRoom()
	})
	require.Nil(t, r.onDisk("a"))
	require.NotNil(t, r.onDisk("pushed"))
	r.requireClean()
}

// A copy whose stamps have changed is evicted if it has its bytes, and stays otherwise. A file system may change the
// ctime, as may a program that makes backups.
func TestCopyWithOtherStampsIsEvicted(t *testing.T) {
	t.Parallel()
	r := newRig(t, plain, Options{})
	for _, name := range []string{"touched", "edited", "old", "new"} {
		r.put(name, "8 bytes.")
	}
	change := func(name, text string) {
		require.NoError(t, r.fetch(r.node(name)))
		require.NoError(t, afero.WriteFile(r.disk, "/"+name, []byte(text), 0o644))
		require.NoError(t, r.disk.Chtimes("/"+name, time.Unix(1, 0), time.Unix(1, 0)))
	}
	change("touched", "8 bytes.")
	change("edited", "By hand.")
	require.NoError(t, r.fetch(r.node("old")))
	r.set.MaxBytes = 8
	require.NoError(t, r.fetch(r.node("new")))
	require.Nil(t, r.onDisk("touched"))
	require.Equal(t, "By hand.", string(r.onDisk("edited")))
	require.Nil(t, r.onDisk("old"))
	require.NotNil(t, r.onDisk("new"))

	require.NoError(t, r.disk.Chtimes("/new", time.Unix(1, 0), time.Unix(1, 0)))
	r.set.MaxBytes = 7
	r.locked(r.set.Bound)
	r.workers.Wait()
	require.Nil(t, r.onDisk("new"))
	require.Equal(t, "By hand.", string(r.onDisk("edited")))
	r.requireClean()
}

// Copies that may have to be sent again stay, and so does what is no copy any more.
func TestWhatIsNotEvicted(t *testing.T) {
	t.Parallel()
	r := newRig(t, plain, Options{})
	r.put("guarded", "x")
	r.put("edited", "x")
	guarded, edited := r.node("guarded"), r.node("edited")
	require.NoError(t, r.fetch(guarded))
	require.NoError(t, r.fetch(edited))
	require.NoError(t, afero.WriteFile(r.disk, "/edited", []byte("by hand"), 0o644))
	r.locked(func() {
		r.tree.Guard(tree.Guard{Intent: tree.Intent{Kind: tree.Erase, From: "guarded"}, Kind: tree.File})
		require.NoError(t, r.store.Save())
		require.ErrorIs(t, r.set.Evict(edited), download.ErrChanged)
		r.set.evictUntil(0)
	})
	require.Equal(t, "x", string(r.onDisk("guarded")))
	require.Equal(t, "by hand", string(r.onDisk("edited")))
}

// An eviction takes directories that are empty then, unless they are only here.
func TestTidy(t *testing.T) {
	t.Parallel()
	r := newRig(t, plain, Options{})
	require.NoError(t, r.base.MkdirAll("/d/e", 0o755))
	r.put("d/e/f", "x")
	require.NoError(t, r.disk.MkdirAll("/mine/empty", 0o755))
	var f, mine *tree.Node
	meta := r.remoteMeta("d/e/f")
	r.locked(func() {
		d := r.tree.Discover(r.tree.Root(), "d", tree.Dir, tree.Meta{}, 1)
		e := r.tree.Discover(d, "e", tree.Dir, tree.Meta{}, 1)
		f = r.tree.Discover(e, "f", tree.File, meta, 1)
		up := r.tree.Create(r.tree.Root(), "mine", tree.Dir, tree.Meta{}, tree.Absent, 1)
		mine = r.tree.Create(up, "empty", tree.Dir, tree.Meta{}, tree.Absent, 1)
		require.NoError(t, r.store.Save())
	})
	require.NoError(t, r.set.Fetch(r.ctx, nil, f, r.expect(f)))
	require.Equal(t, "x", string(r.onDisk("d/e/f")))
	r.locked(func() {
		require.NoError(t, r.set.Evict(f))
		r.set.Tidy(mine)
	})
	require.False(t, exists(r.disk, "/d"))
	require.True(t, exists(r.disk, "/mine/empty"))
	require.Error(t, r.set.Rmdir("mine"), "it is not empty")
	require.NoError(t, afero.WriteFile(r.disk, "/f", nil, 0o644))
	require.Error(t, r.set.Rmdir("f"), "it is a file")
	require.Error(t, r.set.Rmdir("none"))
}

// What is left of a download counts, is used by the next one, and goes when it is to be dropped.
func TestPartialFiles(t *testing.T) {
	t.Parallel()
	cut := func(t *testing.T) (*rig, *faultfs.Plan, *tree.Node) {
		plan := new(faultfs.Plan)
		r := newRig(t, func(base afero.Fs) afero.Fs { return faultfs.New(base, plan) }, Options{FillAfterClose: -1})
		content := make([]byte, 8<<20)
		r.put("file", string(content))
		n := r.node("file")
		reads := 0
		plan.Before(func(op faultfs.Op) error {
			if op.Kind == faultfs.Read {
				if reads++; reads > 20 {
					return faultfs.ErrInjected
				}
			}
			return nil
		})
		require.Error(t, r.fetch(n))
		plan.Before(nil)
		r.requireClean()
		var arrived int64
		r.locked(func() { arrived, _ = r.set.Arrived(n) })
		require.Positive(t, arrived)
		return r, plan, n
	}
	t.Run("go on", func(t *testing.T) {
		t.Parallel()
		r, _, n := cut(t)
		before := r.set.Counted.FetchedBytes.Load()
		require.NoError(t, r.fetch(n))
		require.Less(t, r.set.Counted.FetchedBytes.Load()-before, int64(8<<20))
		r.requireClean()
	})
	t.Run("are dropped", func(t *testing.T) {
		t.Parallel()
		r, _, n := cut(t)
		r.locked(func() {
			r.set.DropParts("file")
			arrived, arriving := r.set.Arrived(n)
			require.Zero(t, arrived)
			require.False(t, arriving)
			require.Zero(t, r.set.Used())
		})
		r.requireClean()
	})
	t.Run("make room first", func(t *testing.T) {
		t.Parallel()
		r, _, _ := cut(t)
		r.locked(func() {
			r.set.MaxBytes = 1
			r.set.Bound()
			require.Zero(t, r.set.Used())
		})
		r.requireClean()
	})
	t.Run("are found by the next process", func(t *testing.T) {
		t.Parallel()
		r, _, _ := cut(t)
		r.close()
		require.NoError(t, r.open(r.base, r.disk))
		r.requireClean()
		r.locked(func() { require.Positive(t, r.set.Used()) })
		require.NoError(t, r.fetch(r.node("file")))
		require.Less(t, r.set.Counted.FetchedBytes.Load(), int64(8<<20))
	})
}
