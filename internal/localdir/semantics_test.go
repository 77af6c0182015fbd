package localdir

import (
	"io/fs"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestErrors calls everything in a tree with a file, a full and an empty directory, and compares with what package
// os says on Linux.
func TestErrors(t *testing.T) {
	t.Parallel()
	openFile := func(name string, flag int) func(*Dir) error {
		return func(d *Dir) error {
			f, err := d.OpenFile(name, flag, 0o644)
			if err == nil {
				f.Close()
			}
			return err
		}
	}
	lstat := func(name string) func(*Dir) error {
		return func(d *Dir) error { _, err := d.Lstat(name); return err }
	}
	readDir := func(name string) func(*Dir) error {
		return func(d *Dir) error { _, err := d.ReadDir(name); return err }
	}
	mkdir := func(name string) func(*Dir) error { return func(d *Dir) error { return d.Mkdir(name, 0o755) } }
	mkdirAll := func(name string) func(*Dir) error { return func(d *Dir) error { return d.MkdirAll(name, 0o755) } }
	remove := func(name string) func(*Dir) error { return func(d *Dir) error { return d.Remove(name) } }
	removeAll := func(name string) func(*Dir) error { return func(d *Dir) error { return d.RemoveAll(name) } }
	rename := func(from, to string) func(*Dir) error { return func(d *Dir) error { return d.Rename(from, to) } }
	chmod := func(name string) func(*Dir) error { return func(d *Dir) error { return d.Chmod(name, 0o700) } }
	chtimes := func(name string) func(*Dir) error {
		return func(d *Dir) error { return d.Chtimes(name, time.Unix(1, 0), time.Unix(1, 0)) }
	}
	syncDir := func(name string) func(*Dir) error { return func(d *Dir) error { return d.SyncDir(name) } }

	tests := []struct {
		name string
		call func(*Dir) error
		want string
	}{
		{"lstat root", lstat("."), "nil"},
		{"lstat missing", lstat("missing"), "not exist"},
		{"lstat in missing", lstat("missing/x"), "not exist"},
		{"lstat in file", lstat("file/x"), "ENOTDIR"},
		{"lstat deep in file", lstat("file/x/y/z"), "ENOTDIR"},
		{"lstat empty name", lstat(""), "invalid"},
		{"lstat absolute", lstat("/file"), "invalid"},
		{"lstat unclean", lstat("full/../file"), "invalid"},
		{"lstat outside", lstat("../x"), "invalid"},
		{"lstat trailing slash", lstat("full/"), "invalid"},
		{"lstat NUL", lstat("a\x00b"), "invalid"},

		{"read root", readDir("."), "nil"},
		{"read file as directory", readDir("file"), "ENOTDIR"},
		{"read missing directory", readDir("missing"), "not exist"},
		{"read directory in file", readDir("file/x"), "ENOTDIR"},

		{"open file", openFile("file", os.O_RDONLY), "nil"},
		{"open O_EXCL alone", openFile("file", os.O_RDWR|os.O_EXCL), "nil"},
		{"open O_APPEND", openFile("file", os.O_RDWR|os.O_APPEND), "invalid"},
		{"open missing", openFile("missing", os.O_RDWR), "not exist"},
		{"open directory", openFile("empty", os.O_RDONLY), "EISDIR"},
		{"open root", openFile(".", os.O_RDONLY), "EISDIR"},
		{"open directory to write", openFile("empty", os.O_WRONLY), "EISDIR"},
		{"open directory to truncate", openFile("empty", os.O_RDWR|os.O_CREATE|os.O_TRUNC), "EISDIR"},
		{"open in file", openFile("file/x", os.O_RDONLY), "ENOTDIR"},
		{"create", openFile("new", os.O_RDWR|os.O_CREATE|os.O_EXCL), "nil"},
		{"create over file", openFile("file", os.O_RDWR|os.O_CREATE|os.O_EXCL), "exist"},
		{"create over directory", openFile("full", os.O_RDWR|os.O_CREATE|os.O_EXCL), "exist"},
		{"create in missing", openFile("missing/x", os.O_RDWR|os.O_CREATE), "not exist"},
		{"create in file", openFile("file/x", os.O_RDWR|os.O_CREATE), "ENOTDIR"},

		{"mkdir", mkdir("new"), "nil"},
		{"mkdir root", mkdir("."), "exist"},
		{"mkdir over directory", mkdir("empty"), "exist"},
		{"mkdir over file", mkdir("file"), "exist"},
		{"mkdir in missing", mkdir("missing/x"), "not exist"},
		{"mkdir in file", mkdir("file/x"), "ENOTDIR"},
		{"mkdirall", mkdirAll("new/a/b"), "nil"},
		{"mkdirall root", mkdirAll("."), "nil"},
		{"mkdirall existing", mkdirAll("full"), "nil"},
		{"mkdirall over file", mkdirAll("file"), "ENOTDIR"},
		{"mkdirall in file", mkdirAll("file/a/b"), "ENOTDIR"},

		{"remove file", remove("full/file"), "nil"},
		{"remove empty directory", remove("empty"), "nil"},
		{"remove full directory", remove("full"), "ENOTEMPTY"},
		{"remove missing", remove("missing"), "not exist"},
		{"remove in file", remove("file/x"), "ENOTDIR"},
		{"remove root", remove("."), "EINVAL"},
		{"removeall file", removeAll("file"), "nil"},
		{"removeall full directory", removeAll("full"), "nil"},
		{"removeall missing", removeAll("missing"), "nil"},
		{"removeall in missing", removeAll("missing/x"), "nil"},
		{"removeall in file", removeAll("file/x"), "ENOTDIR"},
		{"removeall root", removeAll("."), "EINVAL"},

		{"rename file", rename("file", "new"), "nil"},
		{"rename file over file", rename("file", "full/file"), "nil"},
		{"rename file over itself", rename("file", "file"), "nil"},
		{"rename file over empty directory", rename("file", "empty"), "exist"},
		{"rename file into missing", rename("file", "missing/x"), "not exist"},
		{"rename file into file", rename("file", "full/file/x"), "ENOTDIR"},
		{"rename directory", rename("full", "new"), "nil"},
		{"rename directory over file", rename("full", "file"), "ENOTDIR"},
		{"rename directory over empty directory", rename("full", "empty"), "exist"},
		{"rename directory over full directory", rename("empty", "full"), "exist"},
		{"rename directory over itself", rename("full", "full"), "exist"},
		{"rename directory into itself", rename("full", "full/sub/x"), "EINVAL"},
		{"rename missing", rename("missing", "new"), "not exist"},
		{"rename missing over directory", rename("missing", "empty"), "not exist"},
		{"rename in file", rename("file/x", "new"), "ENOTDIR"},
		{"rename root", rename(".", "new"), "EINVAL"},
		{"rename to root", rename("file", "."), "EINVAL"},
		{"rename to invalid", rename("file", "../x"), "invalid"},

		{"chmod file", chmod("file"), "nil"},
		{"chmod directory", chmod("full"), "nil"},
		{"chmod missing", chmod("missing"), "not exist"},
		{"chmod in file", chmod("file/x"), "ENOTDIR"},
		{"chtimes file", chtimes("file"), "nil"},
		{"chtimes missing", chtimes("missing"), "not exist"},
		{"chtimes in file", chtimes("file/x"), "ENOTDIR"},

		{"sync root", syncDir("."), "nil"},
		{"sync directory", syncDir("full"), "nil"},
		{"sync file as directory", syncDir("file"), "ENOTDIR"},
		{"sync missing", syncDir("missing"), "not exist"},
	}
	overEach(t, func(t *testing.T, d *Dir) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				for _, name := range []string{"file", "full", "empty", "new"} {
					require.NoError(t, d.RemoveAll(name))
				}
				write(t, d, "file", "content")
				require.NoError(t, d.MkdirAll("full/sub", 0o755))
				require.NoError(t, d.Mkdir("empty", 0o755))
				write(t, d, "full/file", "other")
				require.Equal(t, tt.want, class(t, tt.call(d)))
			})
		}
	})
}

func TestRenameMovesContent(t *testing.T) {
	t.Parallel()
	overEach(t, func(t *testing.T, d *Dir) {
		require.NoError(t, d.MkdirAll("a/b/c", 0o755))
		write(t, d, "a/b/file", "deep")
		write(t, d, "a/b/c/file", "deeper")
		require.NoError(t, d.Rename("a", "moved"))
		require.Equal(t, "deep", read(t, d, "moved/b/file"))
		require.Equal(t, "deeper", read(t, d, "moved/b/c/file"))
		require.Equal(t, []string{"moved"}, names(t, d, "."))
		require.Equal(t, []string{"c", "file"}, names(t, d, "moved/b"))

		write(t, d, "new", "new")
		require.NoError(t, d.Rename("new", "moved/b/file"))
		require.Equal(t, "new", read(t, d, "moved/b/file"))
		require.Equal(t, []string{"c", "file"}, names(t, d, "moved/b"))
		require.NoError(t, d.RemoveAll("moved"))
		require.Empty(t, names(t, d, "."))
	})
}

func TestReadDir(t *testing.T) {
	t.Parallel()
	overEach(t, func(t *testing.T, d *Dir) {
		require.Empty(t, names(t, d, "."), "the state directory is hidden")
		require.NoError(t, d.MkdirAll("dir/sub", 0o755))
		for _, name := range []string{"b", "B", "a b", "ä", "dir/z", "dir/" + Prefix + "x.part", Prefix + "y", ".syncfsx"} {
			write(t, d, name, name)
		}
		require.Equal(t, []string{".syncfsx", "B", "a b", "b", "dir", "ä"}, names(t, d, "."))
		require.Equal(t, []string{"sub", "z"}, names(t, d, "dir"))
		own := []string{"discarded", "lock", "partial", "tmp", "trash"}
		if _, ok := d.backend.(*translated); ok {
			own = []string{"discarded", "lock", "names", "partial", "tmp", "trash"}
		}
		require.Equal(t, own, append([]string{}, withLock(names(t, d, StateDir))...))

		infos, err := d.ReadDir("dir")
		require.NoError(t, err)
		for _, info := range infos {
			single, err := d.Lstat("dir/" + info.Name)
			require.NoError(t, err)
			require.Equal(t, single, info)
		}
	})
}

// withLock adds the lock file where there is none because the lock is not a file.
func withLock(names []string) []string {
	if !slices.Contains(names, "lock") {
		return slices.Insert(names, 1, "lock")
	}
	return names
}

func names(t require.TestingT, d *Dir, dir string) []string {
	infos, err := d.ReadDir(dir)
	require.NoError(t, err)
	names := make([]string, len(infos))
	for i, info := range infos {
		names[i] = info.Name
	}
	return names
}

func TestInfo(t *testing.T) {
	t.Parallel()
	overEach(t, func(t *testing.T, d *Dir) {
		write(t, d, "file", "12345")
		require.NoError(t, d.Chmod("file", 0o640))
		mtime := time.Date(2001, 2, 3, 4, 5, 6, 789_000_000, time.UTC)
		require.NoError(t, d.Chtimes("file", mtime, mtime))
		info, err := d.Lstat("file")
		require.NoError(t, err)
		require.Equal(t, "file", info.Name)
		require.Equal(t, fs.FileMode(0o640), info.Mode)
		require.True(t, info.IsRegular())
		require.False(t, info.IsDir())
		require.EqualValues(t, 5, info.Size())
		require.True(t, mtime.Equal(info.ModTime()), "%v", info.ModTime())
		require.Equal(t, info.Stamp.Ino != 0, info.Stamp.CTime != 0)
		if d.Real() && runtime.GOOS != "windows" {
			require.NotZero(t, info.Stamp.Ino)
		}

		require.NoError(t, d.Chtimes("file", time.Time{}, time.Time{}))
		again, err := d.Lstat("file")
		require.NoError(t, err)
		require.True(t, mtime.Equal(again.ModTime()), "a zero time changes nothing: %v", again.ModTime())

		write(t, d, "file", "123")
		require.EqualValues(t, 5, info.Size(), "an Info is a snapshot")
		require.True(t, mtime.Equal(info.ModTime()))

		require.NoError(t, d.Mkdir("dir", 0o750))
		info, err = d.Lstat("dir")
		require.NoError(t, err)
		require.True(t, info.IsDir())
		require.Equal(t, fs.ModeDir|0o750&^d.Umask(), info.Mode)
	})
}

// TestUmask checks that what a new file's mode loses is what Umask says.
func TestUmask(t *testing.T) {
	t.Parallel()
	overEach(t, func(t *testing.T, d *Dir) {
		for _, perm := range []fs.FileMode{0o777, 0o666, 0o600, 0o444} {
			f, err := d.OpenFile("file", os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm|fs.ModeSetuid|fs.ModeSticky)
			require.NoError(t, err)
			require.NoError(t, f.Close())
			info, err := d.Lstat("file")
			require.NoError(t, err)
			require.Equal(t, perm&^d.Umask(), info.Mode)
			require.NoError(t, d.Remove("file"))
		}
		require.Empty(t, names(t, d, TmpDir), "measuring leaves nothing")
	})
}

func TestClosedDir(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			d, err := Open(kind.new(t))
			require.NoError(t, err)
			f, err := d.OpenFile("file", os.O_RDWR|os.O_CREATE, 0o644)
			require.NoError(t, err)
			require.NoError(t, d.Close())
			require.NoError(t, d.Close())

			_, err = d.Lstat("file")
			require.ErrorIs(t, err, fs.ErrClosed)
			_, err = d.OpenFile("file", os.O_RDONLY, 0)
			require.ErrorIs(t, err, fs.ErrClosed)
			require.ErrorIs(t, d.Rename("file", "x"), fs.ErrClosed)

			_, err = f.WriteAt([]byte("still open"), 0)
			require.NoError(t, err)
			require.NoError(t, f.Close())
		})
	}
}

func TestReserved(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		".syncfs": true, ".SyncFS": true, ".syncfs-": true, ".syncfs-x.part": true, ".SYNCFS-X": true,
		"": false, ".": false, "syncfs": false, ".syncfsx": false, ".syncf": false, "a.syncfs": false, "x.syncfs-y": false,
	} {
		require.Equal(t, want, Reserved(name), name)
	}
}
