package crashfs_test

import (
	"io/fs"
	"os"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
)

// disk is an Fs with the words of these tests.
type disk struct {
	*crashfs.Fs
	t require.TestingT
}

func (d disk) write(name, content string) {
	require.NoError(d.t, afero.WriteFile(d, name, []byte(content), 0o644))
}

// sync makes a file durable, or the names of a directory.
func (d disk) sync(names ...string) {
	for _, name := range names {
		f, err := d.Open(name)
		require.NoError(d.t, err)
		require.NoError(d.t, f.Sync())
		require.NoError(d.t, f.Close())
	}
}

func (d disk) mkdir(name string)       { require.NoError(d.t, d.Mkdir(name, 0o755)) }
func (d disk) rename(from, to string)  { require.NoError(d.t, d.Rename(from, to)) }
func (d disk) remove(name string)      { require.NoError(d.t, d.Remove(name)) }
func (d disk) append(name, add string) { d.through(name, os.O_APPEND, add) }

func (d disk) through(name string, flag int, content string) {
	f, err := d.OpenFile(name, os.O_WRONLY|flag, 0)
	require.NoError(d.t, err)
	_, err = f.WriteString(content)
	require.NoError(d.t, err)
	require.NoError(d.t, f.Close())
}

// tree returns each file's name with its content; directories end in a slash.
func tree(t require.TestingT, fsys afero.Fs) map[string]string {
	entries, err := aferotest.Tree(fsys)
	require.NoError(t, err)
	tree := map[string]string{}
	for name, e := range entries {
		if e.Type == fs.ModeDir {
			name += "/"
		}
		tree[name] = e.Content
	}
	return tree
}

type files = map[string]string

func TestCrash(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		do      func(d disk)
		left    files
		journal files // with Options.Journal, if it differs
	}{
		{"nothing synced", func(d disk) {
			d.mkdir("d")
			d.write("f", "abc")
		}, files{}, nil},
		{"file synced, name not", func(d disk) {
			d.write("f", "abc")
			d.sync("f")
		}, files{}, files{"f": "abc"}},
		{"name synced, file not", func(d disk) {
			d.write("f", "abc")
			d.sync("/")
		}, files{"f": ""}, nil},
		{"file and name synced", func(d disk) {
			d.write("f", "abc")
			d.sync("f", "/")
		}, files{"f": "abc"}, nil},
		{"written on after sync", func(d disk) {
			d.write("f", "abc")
			d.sync("f", "/")
			d.append("f", "def")
		}, files{"f": "abc"}, nil},
		{"rewritten after sync", func(d disk) {
			d.write("f", "abc")
			d.sync("f", "/")
			d.write("f", "new")
		}, files{"f": "abc"}, nil},
		{"rewritten and synced again", func(d disk) {
			d.write("f", "abc")
			d.sync("f", "/")
			d.write("f", "new")
			d.sync("f")
		}, files{"f": "new"}, nil},
		{"directory not synced in its parent", func(d disk) {
			d.mkdir("d")
			d.write("d/f", "abc")
			d.sync("d/f", "d")
		}, files{}, files{"d/": "", "d/f": "abc"}},
		{"directory synced, what is in it not", func(d disk) {
			d.mkdir("d")
			d.write("d/f", "abc")
			d.sync("/")
		}, files{"d/": ""}, files{"d/": "", "d/f": ""}},
		{"all the way up synced", func(d disk) {
			d.mkdir("d")
			d.write("d/f", "abc")
			d.sync("d/f", "d", "/")
		}, files{"d/": "", "d/f": "abc"}, nil},
		{"replaced by rename, not synced", func(d disk) {
			d.write("f", "old")
			d.sync("f", "/")
			d.write("t", "new")
			d.sync("t")
			d.rename("t", "f")
		}, files{"f": "old"}, files{"f": "old", "t": "new"}},
		{"replaced by rename, synced", func(d disk) {
			d.write("f", "old")
			d.sync("f", "/")
			d.write("t", "new")
			d.sync("t")
			d.rename("t", "f")
			d.sync("/")
		}, files{"f": "new"}, nil},
		{"replaced by rename of a file that was not synced", func(d disk) {
			d.write("f", "old")
			d.sync("f", "/")
			d.write("t", "new")
			d.rename("t", "f")
			d.sync("/")
		}, files{"f": ""}, nil},
		{"removed, not synced", func(d disk) {
			d.write("f", "abc")
			d.sync("f", "/")
			d.remove("f")
		}, files{"f": "abc"}, nil},
		{"removed, synced", func(d disk) {
			d.write("f", "abc")
			d.sync("f", "/")
			d.remove("f")
			d.sync("/")
		}, files{}, nil},
		{"removed and made again, not synced", func(d disk) {
			d.write("f", "abc")
			d.sync("f", "/")
			d.remove("f")
			d.write("f", "new")
			d.sync("f")
		}, files{"f": "abc"}, files{"f": "new"}},
		{"moved, nothing synced", func(d disk) {
			d.mkdir("a")
			d.mkdir("b")
			d.write("a/f", "abc")
			d.sync("a/f", "a", "b", "/")
			d.rename("a/f", "b/f")
		}, files{"a/": "", "a/f": "abc", "b/": ""}, nil},
		{"moved, source synced", func(d disk) {
			d.mkdir("a")
			d.mkdir("b")
			d.write("a/f", "abc")
			d.sync("a/f", "a", "b", "/")
			d.rename("a/f", "b/f")
			d.sync("a")
		}, files{"a/": "", "b/": "", "b/f": "abc"}, nil},
		{"moved, target synced", func(d disk) {
			d.mkdir("a")
			d.mkdir("b")
			d.write("a/f", "abc")
			d.sync("a/f", "a", "b", "/")
			d.rename("a/f", "b/f")
			d.sync("b")
		}, files{"a/": "", "b/": "", "b/f": "abc"}, nil},
		{"a move takes along what it depends on", func(d disk) {
			d.mkdir("a")
			d.mkdir("b")
			d.mkdir("c")
			d.sync("/")
			d.write("a/f", "abc")
			d.sync("a/f")
			d.write("c/g", "later")
			d.rename("a/f", "b/f")
			d.sync("b")
		}, files{"a/": "", "b/": "", "b/f": "abc", "c/": ""}, files{"a/": "", "b/": "", "b/f": "abc", "c/": "", "c/g": ""}},
		{"directory moved", func(d disk) {
			d.mkdir("a")
			d.mkdir("p")
			d.write("a/f", "abc")
			d.sync("a/f", "a", "/")
			d.rename("a", "p/a")
			d.sync("p")
		}, files{"p/": "", "p/a/": "", "p/a/f": "abc"}, nil},
		{"tree removed, not synced", func(d disk) {
			d.mkdir("d")
			d.write("d/f", "abc")
			d.sync("d/f", "d", "/")
			require.NoError(d.t, d.RemoveAll("d"))
		}, files{"d/": "", "d/f": "abc"}, nil},
		{"order is kept when others are synced", func(d disk) {
			d.mkdir("d")
			d.sync("/")
			d.mkdir("x")
			d.rename("x", "y")
			d.mkdir("d/e")
			d.sync("d", "/")
		}, files{"d/": "", "d/e/": "", "y/": ""}, nil},
		{"two directories were in one another in turn", func(d disk) {
			for _, dir := range []string{"p", "q", "s", "p/1", "s/2"} {
				d.mkdir(dir)
			}
			d.write("p/1/f", "abc")
			d.sync("p/1/f", "p/1", "p", "s", "/")
			d.rename("p/1", "s/2/1")
			d.rename("s/2/1", "q/1")
			d.rename("s/2", "q/1/2")
			d.sync("s", "p")
		}, files{"p/": "", "q/": "", "s/": "", "q/1/": "", "q/1/f": "abc", "q/1/2/": ""}, nil},
		{"moved to a new directory, source synced", func(d disk) {
			d.write("f", "abc")
			d.mkdir("a")
			d.sync("f", "/")
			d.mkdir("a/b")
			d.mkdir("a/b/c")
			d.rename("f", "a/b/c/f")
			d.sync("/")
		}, files{"a/": "", "a/b/": "", "a/b/c/": "", "a/b/c/f": "abc"}, nil},
		{"moved out of a directory that is then removed", func(d disk) {
			d.mkdir("a")
			d.mkdir("b")
			d.write("a/f", "abc")
			d.sync("a/f", "a", "/")
			d.rename("a/f", "b/f")
			d.remove("a")
			d.sync("/")
		}, files{"b/": "", "b/f": "abc"}, nil},
		{"created in a moved directory", func(d disk) {
			d.mkdir("a")
			d.mkdir("p")
			d.sync("/")
			d.rename("a", "p/a")
			d.mkdir("p/a/b")
			d.sync("p/a")
		}, files{"a/": "", "a/b/": "", "p/": ""}, files{"p/": "", "p/a/": "", "p/a/b/": ""}},
		{"truncated, not synced", func(d disk) {
			d.write("f", "abcdef")
			d.sync("f", "/")
			d.through("f", os.O_TRUNC, "")
		}, files{"f": "abcdef"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, journal := range []bool{false, true} {
				want := c.left
				if journal && c.journal != nil {
					want = c.journal
				}
				d := disk{crashfs.New(&crashfs.Options{Journal: journal}), t}
				c.do(d)
				seen := tree(t, d)
				left := d.Crash()
				require.Equal(t, want, tree(t, left), "journal: %v", journal)
				require.Equal(t, want, tree(t, left.Crash()), "what is left is durable")
				require.Equal(t, seen, tree(t, d), "the old Fs goes on")
			}
		})
	}
}
