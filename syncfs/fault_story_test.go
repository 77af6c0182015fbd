package syncfs

import (
	"strings"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

// story is a fixed sequence of calls. There are several short ones rather than one long, since each is told once for
// every operation in it.
type story struct {
	name  string
	fresh bool // begins with an empty local directory
	// replaces: something is put over a file that the remote has.
	replaces bool
	tell     func(*faulty)
}

var stories = []story{
	{"contents", false, true, func(r *faulty) {
		r.read("/a.txt")
		r.edit("/a.txt", 2, "PHA!")
		r.edit("/b.txt", 16, " and more")
		r.create("/new.txt", "made here")
		r.create("/c.txt", "replaced")
		r.push()
		r.read("/a.txt")
		r.create("/new.txt", "made again")
		r.edit("/link", 0, "A")
		r.evict("/b.txt")
		r.read("/b.txt")
		r.push()
	}},
	{"large", false, false, func(r *faulty) {
		r.create("/d/large", strings.Repeat("0123456789abcdef", 5_000))
		r.push()
		r.evict("/d/large")
		r.read("/d/large")
	}},
	{"given", true, true, func(r *faulty) {
		r.add("/given.txt", "put there by hand")
		r.add("/a.txt", "by hand, unseen")
		r.push()
		r.pull()
		r.edit("/given.txt", 0, "PUT")
		r.restart()
		r.push()
		r.read("/given.txt")
	}},
	{"directories", false, false, func(r *faulty) {
		r.mkdir("/made")
		r.create("/made/in.txt", "in it")
		r.mkdirAll("/made/deep/er")
		r.create("/made/deep/er/f", "deep")
		r.mkdirAll("/d/sub/more")
		r.push()
		r.create("/d/sub/more/g", "gee")
		r.removeAll("/made/deep")
		r.remove("/void")
		r.push()
	}},
	{"renames", false, true, func(r *faulty) {
		r.read("/a.txt")
		r.rename("/a.txt", "/a2.txt")       // cached
		r.rename("/b.txt", "/d/b.txt")      // not cached
		r.rename("/c.txt", "/d/x.txt")      // over one
		r.create("/temp", "atomic save")    // as editors save
		r.rename("/temp", "/e/one")         //
		r.rename("/d/sub", "/sub")          // a directory
		r.edit("/sub/z.txt", 3, " (moved)") // and what is in it
		r.push()
		r.rename("/a2.txt", "/a.txt")
		r.rename("/sub", "/e/sub")
		r.push()
	}},
	{"removals", false, false, func(r *faulty) {
		r.read("/a.txt")
		r.remove("/a.txt")
		r.remove("/b.txt")
		r.remove("/link")
		r.list("/d")
		r.removeAll("/d")
		r.push()
		r.create("/b.txt", "another")
		r.removeAll("/e")
		r.mkdir("/e")
		r.create("/e/two", "a new one")
		r.push()
		r.list("/")
	}},
	{"attributes", false, true, func(r *faulty) {
		when := time.Unix(1_600_000_000, 0)
		r.chmod("/a.txt", 0o600)
		r.chtimes("/b.txt", when)
		r.chmod("/d", 0o750)
		r.chtimes("/void", when)
		r.push()
		r.read("/c.txt")
		r.chtimes("/c.txt", when)
		r.chmod("/c.txt", 0o640)
		r.create("/made", "mode and time")
		r.chmod("/made", 0o755)
		r.chtimes("/made", when)
		r.push()
		r.edit("/b.txt", 0, "B")
		r.push()
		if len(r.unsaid) == 0 {
			for _, name := range []string{"/c.txt", "/made"} {
				r.chtimes(name, when)
			}
		}
	}},
	{"kinds", false, false, func(r *faulty) {
		r.symlink("b.txt", "/to-b")
		r.symlink("/d", "/e/to-d")
		r.remove("/a.txt")
		r.mkdir("/a.txt")
		r.create("/a.txt/inside", "a directory now")
		r.removeAll("/e")
		r.create("/e", "a file now")
		r.push()
		r.read("/to-b")
		r.removeAll("/a.txt")
		r.symlink("c.txt", "/a.txt")
		r.remove("/e")
		r.mkdir("/e")
		r.remove("/to-b")
		r.push()
	}},
	{"swaps", false, true, func(r *faulty) {
		r.rename("/a.txt", "/t")
		r.rename("/b.txt", "/a.txt")
		r.rename("/t", "/b.txt")
		r.rename("/d", "/t")
		r.rename("/e", "/d")
		r.rename("/t", "/e")
		r.push()
		r.edit("/a.txt", 0, "B")
		r.rename("/e/sub", "/outer")
		r.rename("/e", "/outer/e")
		r.push()
	}},
	{"moved after a failure", false, true, func(r *faulty) {
		r.create("/d/new.txt", "made in a directory")
		r.edit("/d/sub/z.txt", 0, "Z")
		r.push()
		r.rename("/d/new.txt", "/e/new.txt")
		r.edit("/e/new.txt", 0, "M")
		r.rename("/d/sub/z.txt", "/z.txt")
		r.push()
		r.removeAll("/d")
		r.remove("/e/new.txt")
		r.push()
	}},
	{"discarded", false, false, func(r *faulty) {
		r.create("/new.txt", "made here")
		r.edit("/a.txt", 0, "ALPHA")
		r.rename("/b.txt", "/d/b.txt")
		r.rename("/d", "/moved")
		r.remove("/c.txt")
		r.mkdir("/made")
		r.discardAll()
		r.push()
	}},
}

// discardAll takes everything back. It is told of a story without a push before it.
func (r *faulty) discardAll() {
	r.Helper()
	err := r.fs.Discard()
	if err != nil {
		r.try("discard", err)
	}
	back := func() {
		require.NoError(r, r.model.RemoveAll("/moved"))
		for _, name := range []string{"/a.txt", "/b.txt", "/c.txt", "/d", "/e", "/void", "/link", "/new.txt", "/made"} {
			require.NoError(r, r.model.RemoveAll(name))
		}
		seed(r.T, r.model)
		clear(r.unsaid)
	}
	if err == nil {
		back()
		return
	}
	r.healthy(func() { r.allOrNothing("discard", err, func(afero.Fs) error { back(); return nil }) })
}
