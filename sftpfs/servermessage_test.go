package sftpfs_test

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
	"unicode"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// refusing starts a server that refuses requests of one kind about "/f".
func refusing(t *testing.T, kind sftptest.Kind, status sftptest.Status, message string) *sftptest.Server {
	t.Helper()
	return sftptest.Start(t, sftptest.OnRequest(func(r *sftptest.Request) sftptest.Answer {
		if (r.Kind == kind || r.Kind == instead[kind]) && r.Path == "/f" {
			return sftptest.Refuse(status, message)
		}
		return r.Next()
	}))
}

// What a server says besides the code is in the error, whatever the call. There are two exceptions, because os.IsNotExist
// and os.IsExist only know the bare errno.
func TestServerMessage(t *testing.T) {
	t.Parallel()
	const message = "upload window closed, try at 9:00"
	for name, c := range requests {
		for status, want := range map[sftptest.Status]error{
			sftptest.StatusPermissionDenied: fs.ErrPermission,
			sftptest.StatusFailure:          syscall.EIO,
			sftptest.StatusOpUnsupported:    errors.ErrUnsupported,
			sftptest.StatusQuotaExceeded:    syscall.EDQUOT,
			sftptest.StatusLockConflict:     syscall.EBUSY,
			100:                             syscall.EIO,
		} {
			server := refusing(t, c.kind, status, message)
			require.NoError(t, c.exists.make(server.Fs()))
			err := c.call(newFs(t, server.Config()))
			require.ErrorContains(t, err, message, "%s: %d", name, status)
			require.ErrorIs(t, err, want, "%s: %d", name, status)
			require.Equal(t, 1, strings.Count(err.Error(), message), "%s: %d", name, status)
		}
	}
}

// A message that says no more than the code adds nothing to what package os says.
func TestPlainServerMessage(t *testing.T) {
	t.Parallel()
	for status, c := range map[sftptest.Status]struct {
		want  error
		plain []string
	}{
		sftptest.StatusPermissionDenied: {syscall.EACCES, []string{
			"Permission denied", "permission denied.", "PERMISSION-DENIED!", "SSH_FX_PERMISSION_DENIED", "stat /srv/f: permission denied",
		}},
		sftptest.StatusNoSuchFile: {syscall.ENOENT, []string{
			"No such file", "No such file or directory", "file does not exist", "rename /srv/f /srv/g: no such file or directory",
			"ENOENT: no such file or directory, open '/srv/f'", "Datei nicht gefunden",
		}},
		sftptest.StatusFileAlreadyExists: {syscall.EEXIST, []string{"File exists", "Die Datei gibt es schon"}},
		sftptest.StatusOpUnsupported:     {errors.ErrUnsupported, []string{"Operation unsupported", "unsupported operation"}},
		sftptest.StatusQuotaExceeded:     {syscall.EDQUOT, []string{"Quota exceeded", "Disk quota exceeded"}},
		sftptest.StatusDirNotEmpty:       {syscall.ENOTEMPTY, []string{"Dir not empty", "Directory not empty"}},
		sftptest.StatusFileIsADirectory:  {syscall.EISDIR, []string{"Is a directory"}},
	} {
		for _, message := range append(c.plain, "") {
			_, err := newFs(t, refusing(t, sftptest.Stat, status, message).Config()).Stat("f")
			require.Equal(t, &fs.PathError{Op: "stat", Path: "f", Err: c.want}, err, message)
		}
	}
	// An errno that says less than the code does not replace it.
	_, err := newFs(t, refusing(t, sftptest.Stat, sftptest.StatusDeletePending, "").Config()).Stat("f")
	require.EqualError(t, err, `stat f: `+syscall.EBUSY.Error()+`: sftp: "Delete pending" (SSH_FX_DELETE_PENDING)`)
	_, err = newFs(t, refusing(t, sftptest.Stat, 100, "out of tape").Config()).Stat("f")
	require.EqualError(t, err, `stat f: `+syscall.EIO.Error()+`: sftp: "out of tape" (status 100)`)
}

// A message is a server's: it neither fills memory nor writes to a terminal.
func TestHostileServerMessage(t *testing.T) {
	t.Parallel()
	const evil = "\x1b[2J\x1b]0;title\x07 evil\r\nsecond line\u202e\u200b\x9b\xff\x00"
	for _, status := range []sftptest.Status{
		sftptest.StatusPermissionDenied, sftptest.StatusNoSuchFile, sftptest.StatusFailure, sftptest.StatusConnectionLost, 100,
	} {
		server := refusing(t, sftptest.Stat, status, evil+strings.Repeat("long ", 40_000))
		for name, fsys := range map[string]*sftpfs.Fs{
			"New":       newFs(t, server.Config()),
			"NewClient": sftpfs.NewClient(dialServer(t, server), "/"),
		} {
			_, err := fsys.Stat("f")
			require.Error(t, err)
			text := err.Error()
			require.Less(t, len(text), 512, "%s: %d", name, status)
			require.NotContains(t, text, "\uFFFD")
			for _, r := range text {
				require.True(t, unicode.IsPrint(r), "%s: %d: %q", name, status, text)
			}
			if name == "New" && status != sftptest.StatusNoSuchFile {
				require.Contains(t, text, "evil second line", "%d", status)
			}
			require.NoError(t, fsys.Close())
		}
	}
}

// The words of a refused write are not lost where the Fs asks how full the disk is.
func TestServerMessageOfWrite(t *testing.T) {
	t.Parallel()
	server := refusing(t, sftptest.Write, sftptest.StatusFailure, "quota exceeded for user x")
	fsys := newFs(t, server.Config())
	err := afero.WriteFile(fsys, "f", []byte("content"), 0o666)
	require.ErrorContains(t, err, "quota exceeded for user x")
	require.ErrorIs(t, err, syscall.EIO)
	require.NotErrorIs(t, err, sftpfs.ErrUnavailable)
	require.ErrorAs(t, err, new(*os.PathError))
}
