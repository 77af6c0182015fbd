package sftpfs_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

func refusedBy(t *testing.T, fsys *sftpfs.Fs) []string {
	t.Helper()
	c, err := fsys.Capabilities(t.Context())
	require.NoError(t, err)
	return c.Refused
}

// announce offers an extension whose requests the server refuses as unsupported.
func announce(name string) sftptest.Character { return sftptest.Announce(name, "1") }

// opened runs do on a new file.
func opened(do func(f afero.File) error) func(*sftpfs.Fs, string) error {
	return func(fsys *sftpfs.Fs, name string) error {
		f, err := fsys.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o666)
		if err != nil {
			return fmt.Errorf("not refused: %v", err)
		}
		defer f.Close()
		return do(f)
	}
}

// A request that the server does not support is sent once, and refused with the same error from then on, also over the
// next connection.
func TestUnsupportedRequestIsSentOnce(t *testing.T) {
	t.Parallel()
	now := time.Now()
	symlink := func(fsys *sftpfs.Fs, name string) error { return fsys.SymlinkIfPossible("target", "link to "+name) }
	for refused, c := range map[string]struct {
		character sftptest.Character
		kind      sftptest.Kind
		call      func(fsys *sftpfs.Fs, name string) error
	}{
		"setstat mode": {sftptest.NoSetstat(), sftptest.Setstat,
			func(fsys *sftpfs.Fs, name string) error { return fsys.Chmod(name, 0o600) }},
		"setstat owner": {sftptest.NoSetstat(), sftptest.Setstat,
			func(fsys *sftpfs.Fs, name string) error { return fsys.Chown(name, 1, -1) }},
		"setstat times": {sftptest.NoSetstat(), sftptest.Setstat,
			func(fsys *sftpfs.Fs, name string) error { return fsys.Chtimes(name, time.Time{}, now) }},
		"rename": {sftptest.NoRename(), sftptest.Rename,
			func(fsys *sftpfs.Fs, name string) error { return fsys.Rename(name, name+".new") }},
		"symlink": {sftptest.NoSymlink(), sftptest.Symlink, symlink},
		"readlink": {sftptest.NoSymlink(), sftptest.Readlink,
			func(fsys *sftpfs.Fs, name string) error { _, err := fsys.ReadlinkIfPossible(name); return err }},
		"fsync@openssh.com": {announce("fsync@openssh.com"), "fsync@openssh.com", opened(afero.File.Sync)},
	} {
		t.Run(refused, func(t *testing.T) {
			t.Parallel()
			var counted counter
			server := sftptest.Start(t, counted.character(), c.character)
			fsys := newFs(t, server.Config())
			require.Empty(t, refusedBy(t, fsys))
			cause := error(nil)
			for i, name := range []string{"a", "b", "c"} {
				put(t, server, "/"+name, "content")
				if i == 2 {
					server.Disconnect()
					require.Eventually(t, func() bool { // calls fail until the Fs notices
						_, err := fsys.Stat(name)
						return err == nil
					}, soon, time.Millisecond)
				}
				err := c.call(fsys, name)
				require.ErrorIs(t, err, errors.ErrUnsupported, name)
				require.NotErrorIs(t, err, sftpfs.ErrUnavailable)
				requireOnePath(t, err, name)
				require.ErrorContains(t, err, name)
				if i == 0 {
					cause = errors.Unwrap(err)
				}
				require.Equal(t, cause, errors.Unwrap(err))
				require.Equal(t, 1, counted.of(c.kind), name)
				require.Equal(t, []string{refused}, refusedBy(t, fsys))
			}
			stats, lstats := counted.of(sftptest.Stat), counted.of(sftptest.Lstat)
			require.Error(t, c.call(fsys.WithContext(t.Context()).(*sftpfs.Fs), "b"))
			require.Equal(t, 1, counted.of(c.kind), "another context is the same Fs")
			require.Equal(t, stats, counted.of(sftptest.Stat), "the call needs no other request either")
			require.Equal(t, lstats, counted.of(sftptest.Lstat))

			require.Error(t, c.call(newFs(t, server.Config()), "b"))
			require.Equal(t, 2, counted.of(c.kind), "another Fs is another use of the server")
		})
	}
}

// Modes of new files and directories are set as well as the server allows. A refusal costs one request.
func TestRefusedModesOfNewFiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		character sftptest.Character
		setstats  int
		refused   []string
	}{
		"unsupported":     {sftptest.NoSetstat(), 1, []string{"fsetstat mode", "mode of a new file", "setstat mode"}},
		"not of handles":  {sftptest.Restricted(sftptest.Fsetstat), 6, []string{"fsetstat mode"}},
		"not permitted":   {sftptest.Restricted(sftptest.Setstat, sftptest.Fsetstat), 4, []string{"fsetstat mode", "mode of a new file"}},
		"not of names":    {sftptest.Restricted(sftptest.Setstat), 3, nil},
		"nothing refused": {func(*sftptest.Options) {}, 3, nil},
	} {
		var counted counter
		fsys := newFs(t, sftptest.Start(t, counted.character(), c.character).Config())
		for _, name := range []string{"a", "b", "c"} {
			require.NoError(t, afero.WriteFile(fsys, name, []byte("content"), 0o600))
			require.NoError(t, fsys.Mkdir(name+".d", 0o700))
		}
		require.Equal(t, c.setstats, counted.of(sftptest.Setstat), name)
		if c.refused != nil {
			require.Equal(t, 1, counted.of(sftptest.Fsetstat), name)
		}
		capabilities, err := fsys.Capabilities(t.Context())
		require.NoError(t, err)
		require.Equal(t, len(c.refused) > 1, capabilities.RefusesModes, name)
		require.Equal(t, c.refused, capabilities.Refused, name)
	}
}

// A refusal for lack of permission is about the file.
func TestPermissionIsNotLearnt(t *testing.T) {
	t.Parallel()
	var counted counter
	server := sftptest.Start(t, counted.character(), sftptest.OnRequest(func(r *sftptest.Request) sftptest.Answer {
		if r.Path == "/locked" || r.Path == "/locked.link" {
			return sftptest.Refuse(sftptest.StatusPermissionDenied, "")
		}
		return r.Next()
	}))
	put(t, server, "/locked", "content")
	put(t, server, "/f", "content")
	fsys := newFs(t, server.Config())
	now := time.Now()
	for range 2 {
		require.ErrorIs(t, fsys.Chmod("locked", 0o600), fs.ErrPermission)
		require.ErrorIs(t, fsys.Chtimes("locked", now, now), fs.ErrPermission)
		require.ErrorIs(t, fsys.Rename("locked", "moved"), fs.ErrPermission)
		require.ErrorIs(t, fsys.SymlinkIfPossible("f", "locked.link"), fs.ErrPermission)
	}
	require.Equal(t, 4, counted.of(sftptest.Setstat))
	require.Empty(t, refusedBy(t, fsys))
	require.NoError(t, fsys.Chmod("f", 0o600))
	require.NoError(t, fsys.Chtimes("f", now, now))
	require.NoError(t, fsys.SymlinkIfPossible("f", "link"))
	require.NoError(t, fsys.Rename("f", "moved"))
}

// What a server has done once it supports. If it then refuses that for another name, as one does with several stores
// behind it, only that name is refused.
func TestSupportedRequestIsSentOn(t *testing.T) {
	t.Parallel()
	var counted counter
	server := sftptest.Start(t, counted.character(), sftptest.OnRequest(func(r *sftptest.Request) sftptest.Answer {
		if r.Path == "/bucket" {
			return sftptest.Refuse(sftptest.StatusOpUnsupported, "not in a bucket")
		}
		return r.Next()
	}))
	fsys := newFs(t, server.Config())
	for _, name := range []string{"/f", "/bucket"} {
		put(t, server, name, "content")
	}
	for range 2 {
		require.NoError(t, fsys.Chmod("f", 0o600))
		require.NoError(t, fsys.Rename("f", "g"))
		require.NoError(t, fsys.Rename("g", "f"))
		for _, err := range []error{fsys.Chmod("bucket", 0o600), fsys.Rename("bucket", "g")} {
			require.ErrorIs(t, err, errors.ErrUnsupported)
			require.ErrorContains(t, err, "not in a bucket")
		}
	}
	require.Empty(t, refusedBy(t, fsys))
}

// A server that does not say how full its disk is is asked once.
func TestRefusedStatVFS(t *testing.T) {
	t.Parallel()
	var counted counter
	server := sftptest.Start(t, counted.character(), announce("statvfs@openssh.com"),
		sftptest.OnRequest(func(r *sftptest.Request) sftptest.Answer {
			if r.Kind == sftptest.Write {
				return sftptest.Refuse(sftptest.StatusFailure, "no more")
			}
			return r.Next()
		}))
	fsys := newFs(t, server.Config())
	for range 2 {
		err := afero.WriteFile(fsys, "f", []byte("content"), 0o666)
		require.ErrorIs(t, err, syscall.EIO)
		require.ErrorContains(t, err, "no more")
	}
	require.Equal(t, 1, counted.of("statvfs@openssh.com"))
	require.Equal(t, []string{"statvfs@openssh.com"}, refusedBy(t, fsys))
}

// Calls that run at the same time learn together.
func TestLearningAtTheSameTime(t *testing.T) {
	t.Parallel()
	server := sftptest.Start(t, sftptest.NoSetstat(), sftptest.NoSymlink(), sftptest.NoRename())
	fsys := newFs(t, server.Config())
	var calls sync.WaitGroup
	for i := range 32 {
		name := fmt.Sprint(i)
		put(t, server, "/"+name, "content")
		calls.Go(func() {
			for range 3 {
				for _, err := range []error{
					fsys.Chmod(name, 0o600), fsys.Rename(name, "to"), fsys.SymlinkIfPossible("to", "link"),
				} {
					if !errors.Is(err, errors.ErrUnsupported) {
						t.Error(err)
					}
				}
				_, _ = fsys.Capabilities(t.Context())
			}
		})
	}
	calls.Wait()
	require.Equal(t, []string{"rename", "setstat mode", "symlink"}, refusedBy(t, fsys))
}
