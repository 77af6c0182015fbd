package syncfs

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// Each kind of change is discarded by any of its names, by its directory, or with all.
func TestDiscard(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(r *rig)
		by     []string
		kept   []string // what .syncfs/discarded has then
	}{
		{"edit", func(r *rig) { r.append("d/x", "+") }, []string{"d/x", "d", "/"}, []string{"d/x+"}},
		{"truncate", func(r *rig) { r.write("d/x:ours") }, []string{"d/x", "/d/x"}, []string{"ours"}},
		{"make", func(r *rig) { r.write("d/n:ours") }, []string{"d/n", "d", "."}, []string{"ours"}},
		{"make a directory", func(r *rig) { require.NoError(r, r.fs.Mkdir("d/n", 0o755)) }, []string{"d/n", "d"}, nil},
		{"make a tree", func(r *rig) { r.write("n/m/a", "n/b") }, []string{"n", "/"}, []string{"n/m/a", "n/b"}},
		{"link", func(r *rig) { require.NoError(r, r.fs.SymlinkIfPossible("x", "d/n")) }, []string{"d/n", "d"}, nil},
		{"remove", func(r *rig) { require.NoError(r, r.fs.Remove("d/x")) }, []string{"d/x", "d"}, nil},
		{"remove a directory", func(r *rig) { require.NoError(r, r.fs.RemoveAll("d")) }, []string{"d", "/"}, nil},
		{"rename", func(r *rig) { require.NoError(r, r.fs.Rename("d/x", "n")) }, []string{"d/x", "n", "d"}, nil},
		{"rename a copy", func(r *rig) {
			r.fetch("d/x")
			require.NoError(r, r.fs.Rename("d/x", "n"))
		}, []string{"d/x", "n", "d"}, nil},
		{"rename and edit", func(r *rig) {
			r.append("d/x", "+")
			require.NoError(r, r.fs.Rename("d/x", "n"))
		}, []string{"d/x", "n"}, []string{"d/x+"}},
		{"rename a directory", func(r *rig) {
			r.fetch("d/x")
			require.NoError(r, r.fs.Rename("d", "n"))
		}, []string{"d", "n"}, nil},
		{"rename over", func(r *rig) { require.NoError(r, r.fs.Rename("z", "d/x")) }, []string{"z", "/"}, nil},
		{"write, then rename over", func(r *rig) {
			r.write("d/temp:ours")
			require.NoError(r, r.fs.Rename("d/temp", "d/x"))
		}, []string{"d/x", "d"}, []string{"ours"}},
		{"swap", func(r *rig) {
			require.NoError(r, r.fs.Rename("z", "t"))
			require.NoError(r, r.fs.Rename("d/x", "z"))
			require.NoError(r, r.fs.Rename("t", "d/x"))
		}, []string{"z", "d/x"}, nil},
		{"rename a directory into another", func(r *rig) { require.NoError(r, r.fs.Rename("d", "e/d")) }, []string{"d", "e/d", "e"}, nil},
		{"turn two directories inside out", func(r *rig) {
			require.NoError(r, r.fs.Rename("e/f", "f"))
			require.NoError(r, r.fs.Rename("e", "f/e"))
		}, []string{"e", "e/f"}, nil},
		{"remove, make a directory", func(r *rig) {
			require.NoError(r, r.fs.Remove("d/x"))
			r.write("d/x/in")
		}, []string{"d/x", "d"}, []string{"d/x/in"}},
		{"chmod", func(r *rig) { require.NoError(r, r.fs.Chmod("d/x", 0o600)) }, []string{"d/x", "d"}, nil},
		{"chtimes", func(r *rig) { require.NoError(r, r.fs.Chtimes("d", time.Unix(1, 0), time.Unix(1, 0))) }, []string{"d"}, nil},
	} {
		for _, by := range append(c.by, "") {
			for _, restart := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/by %q/restart %v", c.name, by, restart), func(t *testing.T) {
					t.Parallel()
					r := newRig(t, nil)
					r.serve("d/x", "d/y", "z", "e/f/g")
					before := r.served()
					c.change(r)
					require.NotEmpty(t, r.fs.Pending())
					if restart {
						r.restart()
					}
					if by == "" {
						require.NoError(t, r.fs.Discard())
					} else {
						require.NoError(t, r.fs.Discard(by))
					}
					for range 2 {
						r.queued()
						require.Empty(t, aferotest.Diff(before, r.view()))
						require.ElementsMatch(t, c.kept, r.discarded())
						r.restart()
					}
					r.pushes()
					require.Empty(t, aferotest.Diff(before, r.served()))
				})
			}
		}
	}
}

// Only what is named is discarded, with what stands in its way.
func TestDiscardSome(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("a", "ab", "d/x", "d/y", "swap1", "swap2")
	r.write("a:1", "ab:2", "d/x:3")
	require.NoError(t, r.fs.Remove("d/y"))
	require.NoError(t, r.fs.Rename("swap1", "t"))
	require.NoError(t, r.fs.Rename("swap2", "swap1"))
	require.NoError(t, r.fs.Rename("t", "swap2"))
	require.NoError(t, r.fs.Discard("a", "swap1"))
	r.queued("put ab", "put d/x", "remove d/y")
	r.pushes()
	r.has(r.served(), "a:a", "ab:2", "d/", "d/x:3", "swap1:swap1", "swap2:swap2")
}

// What Add queued stays in the local directory where it is.
func TestDiscardAdded(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("copy", "theirs")
	r.fetch("copy")
	r.place("d/new:local", "theirs:local")
	for _, name := range []string{"copy", "d/new", "theirs"} {
		require.NoError(t, r.fs.Add(name))
	}
	require.NoError(t, r.fs.Discard())
	for range 2 {
		r.queued()
		r.reads("copy", "copy")
		r.reads("d/new", "local")
		r.reads("theirs", "local")
		require.Empty(t, r.discarded())
		r.restart()
	}
	r.serve("copy:a newer version")
	report, err := r.fs.Pull(context.Background(), "/")
	require.NoError(t, err)
	require.Len(t, report.Results, 3)
	r.reads("copy", "a newer version") // a copy as before
	r.reads("theirs", "local")         // the user's as before
	r.has(r.served(), "copy:a newer version", "theirs:theirs")
}

func TestDiscardErrors(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("x", "y")
	require.NoError(t, r.fs.Discard(), "nothing is queued")
	require.ErrorIs(t, r.fs.Discard("x"), fs.ErrNotExist)
	require.ErrorIs(t, r.fs.Discard("a\x00"), fs.ErrInvalid)
	r.append("x", "+")
	require.ErrorIs(t, r.fs.Discard("x", "y"), fs.ErrNotExist)
	r.queued("put x") // nothing was discarded
	f, err := r.fs.OpenFile("y", os.O_RDWR, 0)
	require.NoError(t, err)
	_, err = f.WriteString("+")
	require.NoError(t, err)
	require.ErrorIs(t, r.fs.Discard(), ErrBusy)
	r.queued("put x", "put y")
	require.NoError(t, r.fs.Discard("x"))
	require.NoError(t, f.Close())
	require.NoError(t, r.fs.Discard("y"))
	r.has(r.view(), "x:x", "y:y")
	require.NoError(t, r.fs.Close())
	require.ErrorIs(t, r.fs.Discard(), fs.ErrClosed)
	r.start()
}

// A handle that is open for reading goes on reading what was discarded.
func TestDiscardOpen(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("x")
	r.append("x", "+")
	f, err := r.fs.Open("x")
	require.NoError(t, err)
	require.NoError(t, r.fs.Discard())
	b := make([]byte, 10)
	n, _ := f.ReadAt(b, 0)
	require.Equal(t, "x+", string(b[:n]))
	require.NoError(t, f.Close())
	r.reads("x", "x")
}

var somePaths = []string{"a", "b", "a/a", "a/b", "b/a", "b/b", "a/a/a", "a/a/b", "b/a/a", "c"}

// mutate makes one random call on the Fs. Whether it is refused does not matter here.
func mutate(t *rapid.T, s *Fs, text string) {
	name := rapid.SampledFrom(somePaths).Draw(t, "name")
	switch op := rapid.SampledFrom([]string{"write", "append", "mkdir", "remove", "removeall", "rename", "rename", "chmod", "symlink"}).Draw(t, "op"); op {
	case "write", "append":
		flag := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
		if op == "append" {
			flag = os.O_WRONLY | os.O_APPEND
		}
		if f, err := s.OpenFile(name, flag, 0o644); err == nil {
			_, _ = f.WriteString(text)
			_ = f.Close()
		}
	case "mkdir":
		_ = s.MkdirAll(name, 0o755)
	case "remove":
		_ = s.Remove(name)
	case "removeall":
		_ = s.RemoveAll(name)
	case "rename":
		_ = s.Rename(name, rapid.SampledFrom(somePaths).Draw(t, "to"))
	case "chmod":
		_ = s.Chmod(name, rapid.SampledFrom([]fs.FileMode{0o755, 0o700}).Draw(t, "mode"))
	case "symlink":
		_ = s.SymlinkIfPossible("c", name)
	}
}

// serveSome puts a random tree on the remote.
func (r *rig) serveSome(t *rapid.T) {
	for i := range rapid.IntRange(3, 8).Draw(t, "entries") {
		name := rapid.SampledFrom(somePaths).Draw(t, "entry")
		if rapid.Bool().Draw(t, "directory") {
			_ = r.remote.MkdirAll(name, 0o755)
			continue
		}
		if f, err := r.remote.Create(name); err == nil {
			_, _ = fmt.Fprintf(f, "remote %d", i)
			_ = f.Close()
		}
	}
}

// Discarding everything leads back to what the remote has; discarding something leaves a queue that leads to what the
// program sees then.
func TestDiscardRandom(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		r := randomRig(t, rt, nil)
		defer r.end()
		r.serveSome(rt)
		before := r.served()
		for i := range rapid.IntRange(1, 12).Draw(rt, "calls") {
			mutate(rt, r.fs, fmt.Sprint("ours ", i))
		}
		if rapid.Bool().Draw(rt, "restart") {
			r.restart()
		}
		if rapid.Bool().Draw(rt, "all") {
			require.NoError(rt, r.fs.Discard())
			require.Empty(rt, r.pending())
			require.Empty(rt, aferotest.Diff(before, r.view()))
		}
		for range 3 {
			names := r.queuedNames()
			if len(names) == 0 {
				break
			}
			name := rapid.SampledFrom(names).Draw(rt, "discarded")
			require.NoError(rt, r.fs.Discard(name))
			require.NotContains(rt, r.queuedNames(), name)
			if rapid.Bool().Draw(rt, "restart") {
				r.restart()
			}
		}
		view := r.view()
		_, err := r.push()
		require.NoError(rt, err)
		require.Empty(rt, r.pending())
		require.Empty(rt, aferotest.Diff(view, r.served()), "the remote differs from what the view was before")
		require.Empty(rt, aferotest.Diff(view, r.view()))
	})
}

// queuedNames are those that Discard takes, sorted.
func (r *rig) queuedNames() []string {
	var names []string
	for _, c := range r.fs.Pending() {
		names = append(names, c.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// A directory that was made while the remote gave no answer can be used, though the remote turns out to have a file of
// that name. That is a conflict.
func TestDirectoryOverUnseenFile(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("a")
	r.down()
	require.NoError(t, r.fs.MkdirAll("a/b", 0o755))
	r.up()
	r.write("a/b/x", "a/y")
	r.has(r.view(), "a/", "a/b/", "a/b/x:a/b/x", "a/y:a/y")
	r.fails(ErrConflict)
	r.has(r.served(), "a:a")
	require.NoError(t, r.fs.Discard())
	r.has(r.view(), "a:a")
}

// What was removed on the remote, as the next push finds out, cannot be taken back.
func TestDiscardOfRemovalOfUnknownOutcome(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"x", "d", "d/y"} {
		r := newRig(t, nil)
		r.serve("x", "d/y")
		r.fetch("x", "d/y")
		require.NoError(t, r.fs.RemoveAll(name))
		lost := false
		r.plan.After(func(op faultfs.Op, err error) error {
			if op.Kind == faultfs.Remove && op.Name == "/"+name {
				lost = true
				return errDown
			}
			return err
		})
		r.fails(ErrUnavailable)
		require.True(t, lost)
		r.plan.Heal()
		require.NoError(t, r.fs.Discard())
		r.pushes()
		r.has(r.view(), list(r.served())...)
	}
}

// The same of a file that a rename has replaced on the remote.
func TestDiscardOfRenameOfUnknownOutcome(t *testing.T) {
	t.Parallel()
	for _, fetched := range []bool{false, true} {
		r := newRig(t, nil)
		r.serve("x", "d/y")
		if fetched {
			r.fetch("x", "d/y")
		}
		require.NoError(t, r.fs.Rename("d/y", "x"))
		r.plan.After(func(op faultfs.Op, err error) error {
			if op.Kind == faultfs.Rename {
				return errDown
			}
			return err
		})
		r.fails(ErrUnavailable)
		r.plan.Heal()
		require.NoError(t, r.fs.Discard())
		r.pushes()
		r.has(r.view(), "d/", "d/y:d/y")
	}
}

// A file that a push has put aside, and then could not bring to its place, is not lost from sight when that is discarded.
func TestDiscardOfParked(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("b", "d/x")
	require.NoError(t, r.fs.Rename("b", "t"))
	require.NoError(t, r.fs.Rename("d", "b"))
	require.NoError(t, r.fs.Rename("t", "b/b"))
	r.serve("d/b:theirs")
	r.fails(ErrConflict)
	require.NoError(t, r.fs.Discard())
	r.pushes()
	r.pushes()
	texts := map[string]bool{}
	for _, e := range r.served() {
		texts[e.Content] = true
	}
	require.True(t, texts["b"] && texts["theirs"] && texts["d/x"], "%v", list(r.served()))
	infos, err := afero.ReadDir(r.remote, "/")
	require.NoError(t, err)
	for _, fi := range infos {
		require.NotContains(t, fi.Name(), ".syncfs")
	}
}
