package sftpfs_test

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// fewFiles lets n files, but any number of directories, be open at a time on all connections.
func fewFiles(n int64, status sftptest.Status) sftptest.Character {
	var open atomic.Int64
	return sftptest.OnRequest(func(r *sftptest.Request) sftptest.Answer {
		if r.Kind == sftptest.Open && open.Add(1) > n {
			open.Add(-1)
			return sftptest.Refuse(status, "")
		}
		a := r.Next()
		if r.Kind == sftptest.Open && a.Status != sftptest.StatusOK || r.Kind == sftptest.Close && r.Flags != 0 {
			open.Add(-1)
		}
		return a
	})
}

var fewFilesServers = map[string][]sftptest.Character{
	"one":                           {sftptest.OneFile()},
	"two":                           {sftptest.FewFiles(2)},
	"seven":                         {sftptest.FewFiles(7)},
	"one, no FSTAT":                 {sftptest.OneFile(), sftptest.NoFstat()},
	"one, object store":             {sftptest.OneFile(), sftptest.ObjectStore()},
	"one, locked":                   {sftptest.OneFile(), sftptest.Locked()},
	"one per login, denied":         {fewFiles(1, sftptest.StatusPermissionDenied)},
	"two per login, failing":        {fewFiles(2, sftptest.StatusFailure)},
	"one, on one channel":           {sftptest.OneFile(), sftptest.OneChannel()},
	"one, mailbox":                  {sftptest.OneFile(), sftptest.Mailbox()},
	"two, that says it was OpenSSH": {sftptest.FewFiles(2), version("SSH-2.0-OpenSSH_9.9")},
}

func version(v string) sftptest.Character {
	return func(o *sftptest.Options) { o.Version = v }
}

func TestManyFilesOnAServerOfFew(t *testing.T) {
	t.Parallel()
	for name, characters := range fewFilesServers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys, dir := quirky(t, characters...)
			const files = 20
			each := func(f func(name string) error) {
				t.Helper()
				var all errgroup.Group
				for i := range files {
					all.Go(func() error { return f(fmt.Sprint("f", i)) })
				}
				require.NoError(t, all.Wait())
			}
			each(func(name string) error { return afero.WriteFile(fsys, name, []byte(name), 0o640) })
			for i := range files {
				name := fmt.Sprint("f", i)
				requireFile(t, dir, name, name, 0o640)
			}
			each(func(string) error {
				entries, err := fsys.ReadDir("/")
				if err == nil && len(entries) != files {
					err = fmt.Errorf("%d entries", len(entries))
				}
				return err
			})
			each(func(name string) error {
				content, err := afero.ReadFile(fsys, name)
				if err == nil && string(content) != name {
					err = fmt.Errorf("%s: %q", name, content)
				}
				return err
			})
			require.NoError(t, fsys.RemoveAll("/"))
		})
	}
}

// The limit is known on the next connection, too: what is refused is not sent.
func TestLimitOfFilesIsRemembered(t *testing.T) {
	t.Parallel()
	var refused atomic.Int64
	server := sftptest.Start(t, sftptest.OnRequest(func(r *sftptest.Request) sftptest.Answer {
		a := r.Next()
		if r.Kind == sftptest.Open && a.Status != sftptest.StatusOK {
			refused.Add(1)
		}
		return a
	}), sftptest.FewFiles(2))
	fsys := newFs(t, server.Config())
	write := func() {
		t.Helper()
		var all errgroup.Group
		for i := range 20 {
			all.Go(func() error { return afero.WriteFile(fsys, fmt.Sprint(i), nil, 0o666) })
		}
		require.NoError(t, all.Wait())
	}
	write()
	before := refused.Load()
	require.Positive(t, before)
	for range 2 {
		server.Disconnect()
		_, err := fsys.Stat("/")
		require.NoError(t, err)
		write()
	}
	require.LessOrEqual(t, refused.Load(), before+3, "what was being closed when the limit was found counts as open")
}

// A program that holds the only file that may be open gets an error, and is not stuck.
func TestProgramHoldsTheOnlyFile(t *testing.T) {
	t.Parallel()
	for name, character := range map[string]sftptest.Character{
		"failing": sftptest.OneFile(), "denied": fewFiles(1, sftptest.StatusPermissionDenied),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys, dir := quirky(t, character)
			fsys.SetOpenPatience(50 * time.Millisecond)
			putFile(t, dir, "f", "content")
			f, err := fsys.Open("f")
			require.NoError(t, err)
			for range 2 {
				_, err = fsys.OpenFile("g", os.O_WRONLY|os.O_CREATE, 0o600)
				require.ErrorIs(t, err, syscall.EMFILE)
				require.ErrorContains(t, err, "the server allows 1,")
				require.NotErrorIs(t, err, sftpfs.ErrUnavailable)
			}
			got, err := io.ReadAll(f)
			require.NoError(t, err)
			require.Equal(t, "content", string(got))
			require.NoError(t, f.Close())
			require.NoError(t, afero.WriteFile(fsys, "g", []byte("g"), 0o600))
			requireFile(t, dir, "g", "g", 0o600)
		})
	}
}

// While the file that is open is used, others wait.
func TestWaitsForAFileInUse(t *testing.T) {
	t.Parallel()
	fsys, _ := quirky(t, sftptest.OneFile())
	const patience = 500 * time.Millisecond
	fsys.SetOpenPatience(patience)
	f, err := fsys.Create("f")
	require.NoError(t, err)
	second := make(chan error, 1)
	go func() { second <- afero.WriteFile(fsys, "g", nil, 0o666) }()
	for end := time.Now().Add(3 * patience); time.Now().Before(end); {
		_, err := f.WriteString(strings.Repeat("x", 100))
		require.NoError(t, err)
	}
	select {
	case err := <-second:
		t.Fatal(err)
	default:
	}
	require.NoError(t, f.Close())
	require.NoError(t, <-second)
}

// A file that the server refuses for another reason is not waited for, nor are files waited for afterwards.
func TestRefusedFileIsNoLimit(t *testing.T) {
	t.Parallel()
	for name, character := range map[string]sftptest.Character{
		"some are denied": sftptest.Suffixes(".txt"),
		"all are denied":  sftptest.NoUpdate(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var opened counter
			fsys, dir := quirky(t, opened.character(), character)
			fsys.SetOpenPatience(time.Hour)
			putFile(t, dir, "f.txt", "content")
			putFile(t, dir, "f", "content")
			held, err := fsys.Open("f.txt")
			require.NoError(t, err)
			denied := func(name string) {
				_, err := fsys.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o666)
				require.ErrorIs(t, err, fs.ErrPermission)
			}
			if name == "some are denied" {
				denied("g")
				denied("h")
			} else {
				denied("f")
				denied("f.txt")
			}
			require.EqualValues(t, 4, opened.of(sftptest.Open), "it was found out once that more may be open")
			require.NoError(t, held.Close())
		})
	}
}

// Also if the server denies everything that would show it.
func TestRefusedFileOnABlindServer(t *testing.T) {
	t.Parallel()
	fsys, _ := quirky(t, sftptest.WriteOnly(), sftptest.Suffixes(".txt"))
	for i := range 3 {
		held, err := fsys.OpenFile(fmt.Sprint(i, ".txt"), os.O_WRONLY|os.O_CREATE, 0o666)
		require.NoError(t, err)
		denied := make(chan error, 1)
		go func() {
			_, err := fsys.OpenFile("g", os.O_WRONLY|os.O_CREATE, 0o666)
			denied <- err
		}()
		if i > 0 { // two files can be open
			require.ErrorIs(t, <-denied, fs.ErrPermission)
		}
		second := make(chan error, 1)
		if i == 0 {
			require.NoError(t, held.Close())
			require.ErrorIs(t, <-denied, fs.ErrPermission)
			held, err = fsys.OpenFile("a.txt", os.O_WRONLY|os.O_CREATE, 0o666)
			require.NoError(t, err)
		}
		go func() {
			f, err := fsys.OpenFile("b.txt", os.O_WRONLY|os.O_CREATE, 0o666)
			if err == nil {
				err = f.Close()
			}
			second <- err
		}()
		require.NoError(t, <-second, "nothing was learnt")
		require.NoError(t, held.Close())
	}
}

// A directory that the program has open is listed all the same.
func TestOpenDirectoryOnAServerOfOneFile(t *testing.T) {
	t.Parallel()
	fsys, dir := quirky(t, sftptest.OneFile())
	putFile(t, dir, "f", "content")
	for range 2 {
		for _, name := range []string{"/", "f"} {
			d, err := fsys.Open(name)
			require.NoError(t, err)
			entries, err := d.Readdir(-1)
			if name == "f" {
				require.ErrorIs(t, err, syscall.ENOTDIR)
				got, err := io.ReadAll(d)
				require.NoError(t, err)
				require.Equal(t, "content", string(got))
			} else {
				require.NoError(t, err)
				require.Len(t, entries, 1)
				fi, err := d.Stat()
				require.NoError(t, err)
				require.True(t, fi.IsDir())
			}
			require.NoError(t, d.Close())
		}
	}
	require.NoError(t, afero.Walk(fsys, "/", func(_ string, _ fs.FileInfo, err error) error { return err }))
}
