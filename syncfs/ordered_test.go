package syncfs

import (
	"fmt"
	"math/rand/v2"
	"path"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// visible records the names that renames and removals on the remote concern, in their order.
func visible(r *rig) (names func() []string) {
	var mu sync.Mutex
	var order []string
	r.plan.After(func(op faultfs.Op, err error) error {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err != nil:
		case op.Kind == faultfs.Rename:
			order = append(order, path.Clean(op.NewName)[1:])
		case op.Kind == faultfs.Remove:
			order = append(order, path.Clean(op.Name)[1:])
		}
		return err
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return order
	}
}

// Files become visible in the order in which they were queued, whatever their size is, and with them renames and
// removals.
func TestOrdered(t *testing.T) {
	t.Parallel()
	r := newRig(t, &Options{Ordered: true})
	r.serve("old", "gone", "moves")
	names := visible(r)
	want := []string{}
	for i := range 50 {
		name := fmt.Sprintf("f%02d", rand.IntN(100)*100+i)
		r.write(name + ":" + strings.Repeat("x", rand.IntN(100_000)))
		want = append(want, name)
		switch i {
		case 10:
			require.NoError(t, r.fs.Remove("gone"))
			want = append(want, "gone")
		case 20:
			require.NoError(t, r.fs.Rename("moves", "moved"))
			want = append(want, "moved")
		case 30:
			r.write("old:new")
			want = append(want, "old")
		}
	}
	pending := []string{}
	for _, c := range r.fs.Pending() {
		pending = append(pending, c.Name)
	}
	pending[21+1] = "moved"
	require.Equal(t, want, pending)
	r.pushes()
	require.Equal(t, want, names())
}

// A marker file is not published if its data can't be, and nothing that was queued before it waits.
func TestOrderedHoldsBackWhatFollowsAFailure(t *testing.T) {
	t.Parallel()
	for _, publish := range []Publish{PublishRename, PublishDirect} {
		r := newRig(t, &Options{Ordered: true, Publish: publish})
		r.write("first", "d/data:"+strings.Repeat("x", 10_000), "d/marker")
		f, err := r.fs.OpenFile("d/data", 1, 0)
		require.NoError(t, err)
		_, err = f.WriteString("more")
		require.NoError(t, err)
		_, err = r.push()
		require.ErrorIs(t, err, ErrBusy)
		require.ErrorContains(t, err, "put d/marker: not done before: push put d/data")
		r.has(r.served(), "first:first", "d/")
		require.NoError(t, f.Close())
		r.pushes()
	}
}

// Changes that need each other are made all the same: a file that takes the place of another, and what is in a directory
// that moves.
func TestOrderedWithDependencies(t *testing.T) {
	t.Parallel()
	r := newRig(t, &Options{Ordered: true})
	r.serve("a", "b", "d/x", "e/")
	r.write("d/x:X", "new")
	require.NoError(t, r.fs.Rename("a", "t"))
	require.NoError(t, r.fs.Rename("b", "a"))
	require.NoError(t, r.fs.Rename("t", "b"))
	require.NoError(t, r.fs.Rename("d", "e/d"))
	r.write("e/d/y", "a:A")
	require.NoError(t, r.fs.Remove("new"))
	require.NoError(t, r.fs.Mkdir("new", 0o755))
	r.write("new/z")
	require.NoError(t, r.fs.Chmod("e", 0o700))
	r.pushes()
}
