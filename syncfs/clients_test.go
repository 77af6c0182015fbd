package syncfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// Two clients change one remote at random. A file's content lists the versions it was made of, and each edit appends
// to what its client saw: so a version that vanishes without its line was lost.
func TestTwoClients(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newClients(t, rt)
		defer w.end()
		for range rapid.IntRange(4, 24).Draw(rt, "calls") {
			w.step(w.clients[rapid.IntRange(0, 1).Draw(rt, "client")])
		}
		// In the end both give up what is in conflict, and see the same.
		for _, c := range w.clients {
			w.push(c)
			require.NoError(rt, c.fs.Discard())
			_, err := c.fs.Push(context.Background())
			require.NoError(rt, err)
			require.Empty(rt, c.pending())
		}
		for _, c := range w.clients {
			if c.opts.Cache.Revalidate == cachefs.Always {
				require.Empty(rt, aferotest.Diff(c.served(), c.view()))
			}
		}
		for name := range w.clients[0].served() {
			require.False(rt, strings.Contains(name, ".syncfs"), name)
		}
	})
}

// clients are two clients of one remote, and what each has seen of it.
type clients struct {
	rt      *rapid.T
	clients []*rig
	seen    map[*rig]map[string]bool // contents that the program has read
	line    int
}

func newClients(t *testing.T, rt *rapid.T) *clients {
	opts := &Options{}
	opts.Cache.Revalidate = rapid.SampledFrom([]time.Duration{0, cachefs.Always}).Draw(rt, "revalidate")
	first := randomRig(t, rt, opts)
	skewed := *opts // the second client's clock is another one
	skew := rapid.SampledFrom([]time.Duration{0, -3 * time.Second, 3 * time.Second, time.Hour}).Draw(rt, "skew")
	skewed.Cache.Now = func() time.Time { return time.Now().Add(skew) }
	second := &rig{TB: rt, remote: first.remote, plan: new(faultfs.Plan), local: realDir(t), opts: &skewed}
	second.start()
	first.serve("a:0", "d/b:00", "d/e/c:000")
	return &clients{rt: rt, clients: []*rig{first, second},
		seen: map[*rig]map[string]bool{first: {}, second: {}}}
}

func (w *clients) end() {
	for _, c := range w.clients {
		c.end()
	}
}

// look has a client read all it can.
func (w *clients) look(c *rig) {
	for _, e := range c.view() {
		w.seen[c][e.Content] = true
	}
}

var sharedPaths = []string{"a", "d/b", "d/e/c", "d/n", "d/e/n", "n", "m/n"}

func (w *clients) step(c *rig) {
	rt := w.rt
	w.line++
	w.look(c)
	name := rapid.SampledFrom(sharedPaths).Draw(rt, "name")
	switch rapid.SampledFrom([]string{"append", "append", "create", "remove", "removeall", "rename", "renamedir", "mkdir", "push", "push", "restart"}).Draw(rt, "op") {
	case "append":
		if f, err := c.fs.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0); err == nil {
			w.write(c, f.WriteString, f.Close)
		}
	case "create":
		if f, err := c.fs.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644); err == nil {
			w.write(c, f.WriteString, f.Close)
		}
	case "remove":
		_ = c.fs.Remove(name)
	case "removeall":
		_ = c.fs.RemoveAll(rapid.SampledFrom([]string{"d", "d/e", "m"}).Draw(rt, "dir"))
	case "rename":
		to := rapid.SampledFrom(sharedPaths).Draw(rt, "to")
		if _, err := c.fs.Stat(to); errors.Is(err, fs.ErrNotExist) {
			_ = c.fs.Rename(name, to)
		}
	case "renamedir":
		_ = c.fs.Rename(rapid.SampledFrom([]string{"d/e", "m", "d"}).Draw(rt, "dir"), rapid.SampledFrom([]string{"m", "d/e", "m/e", "d"}).Draw(rt, "to"))
	case "mkdir":
		_ = c.fs.MkdirAll("m", 0o755)
	case "restart":
		c.restart()
	case "push":
		w.push(c)
	}
}

// write adds a line of its own length: versions are told apart by size and whole seconds, and histories are fast.
func (w *clients) write(c *rig, write func(string) (int, error), end func() error) {
	_, err := write(fmt.Sprintf("|%d", w.line) + strings.Repeat(".", w.line*w.line))
	require.NoError(w.rt, err)
	require.NoError(w.rt, end())
}

// push pushes, and expects that nothing went that the client had not seen.
func (w *clients) push(c *rig) {
	w.look(c)
	before := c.served()
	_, err := c.push()
	if err == nil {
		require.Empty(w.rt, c.pending())
	} else {
		for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
			require.ErrorIs(w.rt, e, ErrConflict)
		}
	}
	left := ""
	for _, e := range c.served() {
		left += e.Content + "\n"
	}
	for name, e := range before {
		if e.Type == 0 && !w.saw(c, e.Content) {
			require.Contains(w.rt, left, e.Content, "%s was overwritten or removed unseen", name)
		}
	}
}

// saw says whether a client has read a content, or one that was made of it: opening a file to append to it gets the
// remote's version.
func (w *clients) saw(c *rig, content string) bool {
	for seen := range w.seen[c] {
		if strings.HasPrefix(seen, content) {
			return true
		}
	}
	return false
}

// A directory that one client has removed does not come back because another has copies of what was in it, or changes
// something else.
func TestRemovedDirectoryStaysRemoved(t *testing.T) {
	t.Parallel()
	first := newRig(t, nil)
	first.serve("d/e/x", "d/y", "other")
	second := rigOn(t, first.remote, nil)
	_, err := second.fs.Pull(t.Context(), "/")
	require.NoError(t, err)
	require.NoError(t, first.fs.RemoveAll("d"))
	first.pushes()

	second.append("other", "+")
	_, err = second.push()
	require.NoError(t, err)
	second.has(second.served(), "other:other+")
	require.NoError(t, second.fs.AddDir("/", nil)) // copies are no changes
	second.queued()
	second.append("d/y", "+") // the program sees the file still
	second.fails(ErrConflict)
	second.has(second.served(), "other:other+")
	second.queued("put d/y")
}

// A directory that was kept for a change in it, when the remote was found to have removed it, goes with the change.
func TestRemovedDirectoryGoesWithTheLastChangeInIt(t *testing.T) {
	t.Parallel()
	for _, revalidate := range []time.Duration{0, cachefs.Always} {
		opts := &Options{}
		opts.Cache.Revalidate = revalidate
		first := newRig(t, opts)
		first.serve("a", "d/b", "d/e/c")
		second := rigOn(t, first.remote, nil)
		_, err := first.fs.Pull(t.Context(), "/")
		require.NoError(t, err)
		require.NoError(t, first.fs.Rename("d/e", "m"))
		require.NoError(t, second.fs.RemoveAll("d"))
		second.pushes()
		_, err = first.fs.Pull(t.Context(), "/")
		require.NoError(t, err)
		first.fails(ErrConflict)
		require.NoError(t, first.fs.Discard())
		_, err = first.fs.Pull(t.Context(), "/")
		require.NoError(t, err)
		first.has(first.view(), "a:a")
	}
}
