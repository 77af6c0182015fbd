package sftptest_test

import (
	"io"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wiretest"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

func TestDropFolder(t *testing.T) {
	t.Parallel()
	server, c := startWith(t, sftptest.DropFolder())
	require.Empty(t, server.Taken())
	put(t, server, "/old", "old")
	require.NoError(t, second(read(c, "/old")))
	require.NoError(t, write(c, "/a", "first"))
	require.NoError(t, write(c, "/a", "second"))
	require.NoError(t, write(c, "/empty", ""))
	require.Equal(t, []sftptest.File{
		{Path: "/a", Content: []byte("first")}, {Path: "/a", Content: []byte("second")}, {Path: "/empty", Content: []byte{}},
	}, server.Taken())
	requireStatus(t, sftptest.StatusNoSuchFile, second(c.Stat("/a")))
	require.NoError(t, second(c.Stat("/old")), "what was only read stays")

	f, err := c.Create("/removed")
	require.NoError(t, err)
	require.NoError(t, c.Remove("/removed"))
	require.NoError(t, f.Close())
	require.Len(t, server.Taken(), 3)

	plain := sftptest.Start(t)
	require.Nil(t, plain.Taken())
}

func TestMailbox(t *testing.T) {
	t.Parallel()
	server, c := startWith(t, sftptest.Mailbox())
	for _, name := range []string{"/whole", "/part", "/exact"} {
		put(t, server, name, "content")
	}
	require.NoError(t, second(read(c, "/whole")))
	requireExists(t, server.Fs(), "/whole", false)

	for name, length := range map[string]int{"/part": 6, "/exact": 7} {
		f, err := c.Open(name)
		require.NoError(t, err)
		require.NoError(t, second(f.ReadAt(make([]byte, length), 0)))
		requireExists(t, server.Fs(), name, true)
		require.NoError(t, f.Close())
	}
	requireExists(t, server.Fs(), "/part", true)
	requireExists(t, server.Fs(), "/exact", false)
	require.NoError(t, write(c, "/new", "content"))
	requireExists(t, server.Fs(), "/new", true)
}

func TestInOrder(t *testing.T) {
	t.Parallel()
	server, c := startWith(t, sftptest.InOrder())
	for range 2 { // each handle begins anew
		f, err := c.OpenFile("/f", os.O_WRONLY|os.O_CREATE)
		require.NoError(t, err)
		requireStatus(t, sftptest.StatusFailure, second(f.WriteAt([]byte("x"), 3)))
		require.NoError(t, second(f.WriteAt([]byte("abc"), 0)))
		requireStatus(t, sftptest.StatusFailure, second(f.WriteAt([]byte("x"), 4)))
		requireStatus(t, sftptest.StatusFailure, second(f.WriteAt([]byte("x"), 2)))
		require.NoError(t, second(f.WriteAt([]byte("def"), 3)))
		require.NoError(t, f.Close())
	}
	requireContent(t, server, "/f", "abcdef")
}

func TestTruncatingOpen(t *testing.T) {
	t.Parallel()
	server, c := startWith(t, sftptest.TruncatingOpen())
	put(t, server, "/f", "content")
	require.NoError(t, second(read(c, "/f")))
	requireContent(t, server, "/f", "content")
	f, err := c.OpenFile("/f", os.O_WRONLY)
	require.NoError(t, err)
	requireContent(t, server, "/f", "")
	require.NoError(t, second(f.WriteAt([]byte("x"), 2)))
	requireContent(t, server, "/f", "\x00\x00x")
	require.NoError(t, f.Close())
}

func TestNoUpdate(t *testing.T) {
	t.Parallel()
	server, c := startWith(t, sftptest.NoUpdate())
	put(t, server, "/f", "content")
	for _, flag := range []int{os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_CREATE} {
		requireStatus(t, sftptest.StatusPermissionDenied, second(c.OpenFile("/f", flag)))
	}
	requireContent(t, server, "/f", "content")
	require.NoError(t, second(read(c, "/f")))
	require.NoError(t, second(c.OpenFile("/f", os.O_WRONLY|os.O_TRUNC)))
	require.NoError(t, second(c.OpenFile("/g", os.O_WRONLY|os.O_CREATE)))
}

func TestUmask(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		character              sftptest.Character
		file, dir, given, none fs.FileMode
	}{
		{func(*sftptest.Options) {}, 0o644, 0o755, 0o755, 0},
		{sftptest.Umask(0o027), 0o640, 0o750, 0o750, 0},
		{sftptest.Umask(0), 0o666, 0o777, 0o777, 0},
	} {
		server, client := startWith(t, c.character)
		require.NoError(t, write(client, "/file", ""))
		require.NoError(t, client.Mkdir("/dir"))
		rc := raw(t, dial(t, server))
		const makes, mode = uint32(sftptest.FlagWrite | sftptest.FlagCreate), uint32(4)
		rc.send(wiretest.Packet(wiretest.Open, 1, "/given", makes, mode, uint32(0o777)),
			wiretest.Packet(wiretest.Open, 2, "/none", makes, mode, uint32(0)))
		for range 2 {
			require.EqualValues(t, wiretest.Handle, rc.receive().Kind)
		}
		for name, want := range map[string]fs.FileMode{"/file": c.file, "/dir": c.dir, "/given": c.given, "/none": c.none} {
			fi, err := client.Stat(name)
			require.NoError(t, err)
			require.Equal(t, want, fi.Mode().Perm(), name)
		}
		require.NoError(t, client.Chmod("/file", 0o777|fs.ModeSetgid))
		fi, err := client.Stat("/file")
		require.NoError(t, err)
		require.Equal(t, 0o777|fs.ModeSetgid, fi.Mode(), "only what is made has less")
	}
}

func TestQuota(t *testing.T) {
	t.Parallel()
	server, c := startWith(t, sftptest.Quota(10))
	require.NoError(t, server.Fs().Mkdir("/d", 0o755))
	put(t, server, "/d/there", "four")
	require.NoError(t, write(c, "/f", "sixsix"))
	f, err := c.OpenFile("/f", os.O_RDWR)
	require.NoError(t, err)
	requireStatus(t, sftptest.StatusQuotaExceeded, second(f.WriteAt([]byte("x"), 6)))
	require.NoError(t, second(f.WriteAt([]byte("SIXSIX"), 0)), "nothing grows")
	requireStatus(t, sftptest.StatusQuotaExceeded, write(c, "/g", "x"))
	require.NoError(t, c.Remove("/d/there"))
	require.NoError(t, second(f.WriteAt([]byte("four"), 6)))
	requireContent(t, server, "/f", "SIXSIXfour")
}

func TestSuffixes(t *testing.T) {
	t.Parallel()
	server, c := startWith(t, sftptest.Suffixes(".csv", ".txt"))
	put(t, server, "/old.tmp", "content")
	require.NoError(t, write(c, "/f.csv", ""))
	require.NoError(t, write(c, "/f.txt", ""))
	require.NoError(t, c.Mkdir("/d"))
	require.NoError(t, c.Rename("/d", "/e"))
	require.NoError(t, second(read(c, "/old.tmp")))
	for _, err := range []error{
		write(c, "/f.csv.part", ""), c.Rename("/f.csv", "/f"), c.PosixRename("/f.csv", "/f"), c.Symlink("/f.csv", "/f"),
	} {
		requireStatus(t, sftptest.StatusPermissionDenied, err)
	}
	require.NoError(t, c.Rename("/old.tmp", "/new.csv"))
}

func TestNoDots(t *testing.T) {
	t.Parallel()
	server, c := startWith(t, sftptest.NoDots())
	require.NoError(t, server.Fs().Mkdir("/.d", 0o755))
	put(t, server, "/.d/f", "content")
	put(t, server, "/.h", "content")
	put(t, server, "/f", "content")
	entries, err := c.ReadDir("/")
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.Equal(t, "f", entries[0].Name())
	for _, err := range []error{second(c.Stat("/.h")), second(c.Open("/.d/f")), c.Remove("/.h"), c.Rename("/.h", "/h")} {
		requireStatus(t, sftptest.StatusNoSuchFile, err)
	}
	for _, err := range []error{
		write(c, "/.new", ""), c.Mkdir("/.new"), c.Rename("/f", "/.new"), c.PosixRename("/f", "/.d/f"), c.Symlink("f", "/.new"),
	} {
		requireStatus(t, sftptest.StatusPermissionDenied, err)
	}
	require.NoError(t, c.Rename("/f", "/g.txt"))
}

func TestListings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		character sftptest.Character
		dir, file fs.FileMode
		size      int64
	}{
		"as they are":  {func(*sftptest.Options) {}, fs.ModeDir | 0o755, 0o644, 7},
		"NoAttributes": {sftptest.NoAttributes(), 0, 0, 0},
		"NoTypes":      {sftptest.NoTypes(), 0o755, 0o644, 7},
	} {
		server, client := startWith(t, c.character)
		require.NoError(t, server.Fs().Mkdir("/d", 0o755))
		put(t, server, "/f", "content")
		entries, err := client.ReadDir("/")
		require.NoError(t, err)
		require.Len(t, entries, 2, name)
		require.Equal(t, c.dir, entries[0].Mode(), name)
		require.Equal(t, c.file, entries[1].Mode(), name)
		require.Equal(t, c.size, entries[1].Size(), name)
		for _, stat := range []func(string) (os.FileInfo, error){client.Stat, client.Lstat} {
			fi, err := stat("/d")
			require.NoError(t, err)
			require.Equal(t, fs.ModeDir|0o755, fi.Mode(), name)
		}
	}
}

func TestSwappedSymlink(t *testing.T) {
	t.Parallel()
	const order = "symlink-order@rjk.greenend.org.uk"
	_, c := startWith(t, sftptest.SwappedSymlink())
	require.NoError(t, c.Symlink("/first", "/second"))
	target, err := c.ReadLink("/first")
	require.NoError(t, err)
	require.Equal(t, "/second", target)
	_, announced := c.HasExtension(order)
	require.False(t, announced)

	_, c = startWith(t, sftptest.SwappedSymlink(), sftptest.Announce(order, "linkpath-targetpath"))
	data, _ := c.HasExtension(order)
	require.Equal(t, "linkpath-targetpath", data)
	_, announced = c.HasExtension(string(sftptest.PosixRename))
	require.True(t, announced)
}

func TestObjectStore(t *testing.T) {
	t.Parallel()
	server, c := startWith(t, sftptest.ObjectStore())
	other := channel(t, dial(t, server))
	f, err := c.Create("/f")
	require.NoError(t, err)
	require.NoError(t, second(f.WriteAt([]byte("content"), 0)))
	fi, err := f.Stat()
	require.NoError(t, err)
	require.EqualValues(t, 7, fi.Size())
	requireStatus(t, sftptest.StatusNoSuchFile, second(c.Stat("/f")))
	requireStatus(t, sftptest.StatusNoSuchFile, second(other.Open("/f")))
	entries, err := other.ReadDir("/")
	require.NoError(t, err)
	require.Empty(t, entries)
	require.NoError(t, f.Close())
	requireContent(t, server, "/f", "content")

	f, err = c.OpenFile("/f", os.O_WRONLY)
	require.NoError(t, err)
	require.NoError(t, second(f.WriteAt([]byte("CON"), 0)))
	requireContent(t, server, "/f", "content")
	require.NoError(t, f.Close())
	requireContent(t, server, "/f", "CONtent")
	require.NoError(t, write(c, "/f", "new"))
	requireContent(t, server, "/f", "new")
	require.NoError(t, c.Truncate("/f", 1))
	requireContent(t, server, "/f", "n")
	requireStatus(t, sftptest.StatusNoSuchFile, second(c.OpenFile("/missing", os.O_WRONLY)))

	before, err := c.Stat("/f")
	require.NoError(t, err)
	require.NoError(t, c.Rename("/f", "/g"))
	after, err := c.Stat("/g")
	require.NoError(t, err)
	require.True(t, after.ModTime().After(before.ModTime()), "in whole seconds, too")
	requireStatus(t, sftptest.StatusNoSuchFile, c.Rename("/f", "/h"))
	requireStatus(t, sftptest.StatusOpUnsupported, c.Chtimes("/g", time.Now(), time.Now()))
	require.NoError(t, c.Chmod("/g", 0o600))
	require.NoError(t, c.Symlink("/nowhere", "/l"))
	require.NoError(t, c.Rename("/l", "/m"))
	require.NoError(t, c.Mkdir("/d"))
	requireStatus(t, sftptest.StatusOpUnsupported, c.Rename("/d", "/e"))
	requireStatus(t, sftptest.StatusOpUnsupported, c.PosixRename("/d", "/e"))
}

// What was not closed never was.
func TestObjectStoreCut(t *testing.T) {
	t.Parallel()
	server := sftptest.Start(t, sftptest.ObjectStore())
	conn := dial(t, server)
	c := channel(t, conn)
	f, err := c.Create("/f")
	require.NoError(t, err)
	require.NoError(t, second(f.Write([]byte("content"))))
	conn.Close()
	require.NoError(t, server.Stop()) // then all that there was to do is done
	requireExists(t, server.Fs(), "/f", false)
}

// In whichever order they are given, a quota is noticed when the file arrives.
func TestObjectStoreWithQuota(t *testing.T) {
	t.Parallel()
	for _, characters := range [][]sftptest.Character{
		{sftptest.ObjectStore(), sftptest.Quota(10)}, {sftptest.Quota(10), sftptest.ObjectStore()},
	} {
		_, c := startWith(t, characters...)
		require.NoError(t, write(c, "/f", "sixsix"))
		f, err := c.Create("/g")
		require.NoError(t, err)
		require.NoError(t, second(f.Write([]byte("sixsix"))))
		requireStatus(t, sftptest.StatusQuotaExceeded, f.Close())
	}
}

func TestStale(t *testing.T) {
	t.Parallel()
	const age = time.Hour
	server, c := startWith(t, sftptest.Stale(age))
	put(t, server, "/f", "old")
	put(t, server, "/moved", "content")
	put(t, server, "/removed", "content")

	f, err := c.OpenFile("/f", os.O_RDWR)
	require.NoError(t, err)
	for range 2 {
		require.NoError(t, second(f.Write([]byte("content"))))
	}
	require.NoError(t, write(c, "/new", "content"))
	require.NoError(t, c.Rename("/moved", "/target"))
	require.NoError(t, c.Remove("/removed"))

	for name, size := range map[string]int64{"/f": 3, "/moved": 7, "/removed": 7} {
		for _, stat := range []func(string) (os.FileInfo, error){c.Stat, c.Lstat} {
			fi, err := stat(name)
			require.NoError(t, err, name)
			require.Equal(t, size, fi.Size(), name)
		}
	}
	fi, err := f.Stat()
	require.NoError(t, err)
	require.EqualValues(t, 3, fi.Size())
	for _, name := range []string{"/new", "/target"} {
		requireStatus(t, sftptest.StatusNoSuchFile, second(c.Stat(name)))
	}
	got, err := read(c, "/f")
	require.NoError(t, err)
	require.Equal(t, "contentcontent", got, "only attributes are stale")
	put(t, server, "/behind", "content")
	require.NoError(t, second(c.Stat("/behind")), "what clients have not changed is not")
}

func TestStatesByName(t *testing.T) {
	t.Parallel()
	server, c := startWith(t, sftptest.StatesByName())
	put(t, server, "/f", "old")
	put(t, server, "/g", "longer")
	f, err := c.Open("/f")
	require.NoError(t, err)
	require.NoError(t, c.PosixRename("/g", "/f"))
	fi, err := f.Stat()
	require.NoError(t, err)
	require.EqualValues(t, len("longer"), fi.Size())
	got, err := io.ReadAll(f)
	require.NoError(t, err)
	require.Equal(t, "old", string(got))
	require.NoError(t, c.Remove("/f"))
	requireStatus(t, sftptest.StatusNoSuchFile, second(f.Stat()))
}

// An age that has passed shows everything.
func TestStaleNoMore(t *testing.T) {
	t.Parallel()
	_, c := startWith(t, sftptest.Stale(0))
	require.NoError(t, write(c, "/f", "content"))
	fi, err := c.Stat("/f")
	require.NoError(t, err)
	require.EqualValues(t, 7, fi.Size())
	require.NoError(t, c.Remove("/f"))
	requireStatus(t, sftptest.StatusNoSuchFile, second(c.Stat("/f")))
}

// Characters combine.
func TestCharactersCombine(t *testing.T) {
	t.Parallel()
	server, c := startWith(t, sftptest.DropFolder(), sftptest.WriteOnly(), sftptest.NoRename(), sftptest.OneFile(),
		sftptest.Suffixes(".csv"), sftptest.ObjectStore())
	require.NoError(t, write(c, "/f.csv", "content"))
	require.Len(t, server.Taken(), 1)
	requireStatus(t, sftptest.StatusPermissionDenied, second(c.Stat("/f.csv")))
	requireStatus(t, sftptest.StatusOpUnsupported, c.Rename("/f.csv", "/g.csv"))
	requireStatus(t, sftptest.StatusPermissionDenied, write(c, "/f", ""))
	requireExists(t, afero.NewReadOnlyFs(server.Fs()), "/f.csv", false)
}
