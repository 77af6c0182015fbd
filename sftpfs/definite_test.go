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

// definite are the answers that a server may give, and what a program finds in the error.
var definite = map[sftptest.Status]error{
	sftptest.StatusNoSuchFile:              fs.ErrNotExist,
	sftptest.StatusPermissionDenied:        fs.ErrPermission,
	sftptest.StatusFailure:                 syscall.EIO,
	sftptest.StatusBadMessage:              syscall.EIO,
	sftptest.StatusOpUnsupported:           errors.ErrUnsupported,
	sftptest.StatusInvalidHandle:           syscall.EBADF,
	sftptest.StatusNoSuchPath:              fs.ErrNotExist,
	sftptest.StatusFileAlreadyExists:       fs.ErrExist,
	sftptest.StatusWriteProtect:            syscall.EROFS,
	sftptest.StatusNoMedia:                 syscall.ENXIO,
	sftptest.StatusNoSpaceOnFilesystem:     syscall.ENOSPC,
	sftptest.StatusQuotaExceeded:           syscall.EDQUOT,
	sftptest.StatusUnknownPrincipal:        fs.ErrInvalid,
	sftptest.StatusLockConflict:            syscall.EBUSY,
	sftptest.StatusDirNotEmpty:             syscall.ENOTEMPTY,
	sftptest.StatusNotADirectory:           syscall.ENOTDIR,
	sftptest.StatusInvalidFilename:         fs.ErrInvalid,
	sftptest.StatusLinkLoop:                syscall.ELOOP,
	sftptest.StatusCannotDelete:            fs.ErrPermission,
	sftptest.StatusInvalidParameter:        fs.ErrInvalid,
	sftptest.StatusFileIsADirectory:        syscall.EISDIR,
	sftptest.StatusByteRangeLockConflict:   syscall.EBUSY,
	sftptest.StatusByteRangeLockRefused:    syscall.EBUSY,
	sftptest.StatusDeletePending:           syscall.EBUSY,
	sftptest.StatusFileCorrupt:             syscall.EIO,
	sftptest.StatusOwnerInvalid:            fs.ErrPermission,
	sftptest.StatusGroupInvalid:            fs.ErrPermission,
	sftptest.StatusNoMatchingByteRangeLock: fs.ErrInvalid,
	32:                                     syscall.EIO,
	100:                                    syscall.EIO,
	1<<30 + 3:                              syscall.EIO, // no permission denied, whatever stands for that inside
	1 << 31:                                syscall.EIO,
	1<<32 - 1:                              syscall.EIO,
}

// requests are calls about "/f". Each has the request that the server refuses, and the most requests of that kind about
// "/f" that the call may send. What exists does not explain the refusal.
var requests = map[string]struct {
	exists there
	kind   sftptest.Kind
	most   int
	call   func(fsys *sftpfs.Fs) error
}{
	"stat":     {file, sftptest.Stat, 1, func(fsys *sftpfs.Fs) error { _, err := fsys.Stat("f"); return err }},
	"lstat":    {file, sftptest.Lstat, 1, func(fsys *sftpfs.Fs) error { _, _, err := fsys.LstatIfPossible("f"); return err }},
	"open":     {file, sftptest.Open, 1, func(fsys *sftpfs.Fs) error { _, err := fsys.Open("f"); return err }},
	"create":   {nothing, sftptest.Open, 1, func(fsys *sftpfs.Fs) error { _, err := fsys.Create("f"); return err }},
	"readdir":  {dir, sftptest.OpenDir, 1, func(fsys *sftpfs.Fs) error { _, err := fsys.ReadDir("f"); return err }},
	"mkdir":    {nothing, sftptest.Mkdir, 1, func(fsys *sftpfs.Fs) error { return fsys.Mkdir("f", 0o777) }},
	"remove":   {file, sftptest.Remove, 1, func(fsys *sftpfs.Fs) error { return fsys.Remove("f") }},
	"rename":   {file, sftptest.PosixRename, 1, func(fsys *sftpfs.Fs) error { return fsys.Rename("f", "to") }},
	"replace":  {file, sftptest.PosixRename, 2, func(fsys *sftpfs.Fs) error { return fsys.ReplaceFile("f", "to") }},
	"chmod":    {file, sftptest.Setstat, 1, func(fsys *sftpfs.Fs) error { return fsys.Chmod("f", 0o600) }},
	"chown":    {file, sftptest.Setstat, 1, func(fsys *sftpfs.Fs) error { return fsys.Chown("f", 1, 1) }},
	"chtimes":  {file, sftptest.Setstat, 1, func(fsys *sftpfs.Fs) error { return fsys.Chtimes("f", time.Now(), time.Now()) }},
	"symlink":  {nothing, sftptest.Symlink, 1, func(fsys *sftpfs.Fs) error { return fsys.SymlinkIfPossible("target", "f") }},
	"readlink": {symlink, sftptest.Readlink, 1, func(fsys *sftpfs.Fs) error { _, err := fsys.ReadlinkIfPossible("f"); return err }},
	"read": {file, sftptest.Read, 1, withOpen(func(f *sftpfs.File) error {
		_, err := f.ReadAt(make([]byte, 1), 0)
		return err
	})},
	"write":    {file, sftptest.Write, 1, withOpen(func(f *sftpfs.File) error { _, err := f.WriteString("x"); return err })},
	"truncate": {file, sftptest.Fsetstat, 1, withOpen(func(f *sftpfs.File) error { return f.Truncate(1) })},
	"close":    {file, sftptest.Close, 1, withOpen((*sftpfs.File).Close)},
}

// there is what has the name "/f" on the server.
type there int

const (
	nothing there = iota
	file
	dir
	symlink
)

func (e there) make(fsys afero.Fs) error {
	switch e {
	case file:
		return afero.WriteFile(fsys, "/f", []byte("content"), 0o644)
	case dir:
		return fsys.Mkdir("/f", 0o755)
	case symlink:
		return fsys.(afero.Symlinker).SymlinkIfPossible("target", "/f")
	default:
		return nil
	}
}

func withOpen(do func(f *sftpfs.File) error) func(*sftpfs.Fs) error {
	return func(fsys *sftpfs.Fs) error {
		f, err := fsys.OpenFile("f", os.O_RDWR, 0)
		if err != nil {
			return fmt.Errorf("not refused: %v", err)
		}
		defer f.Close()
		return do(f.(*sftpfs.File))
	}
}

// refuser refuses the requests of one kind about "/f", and counts them.
type refuser struct {
	mu     sync.Mutex // guards the following
	kind   sftptest.Kind
	status sftptest.Status
	count  int
	conns  int // the number of the last connection
}

func (r *refuser) set(kind sftptest.Kind, status sftptest.Status) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kind, r.status, r.count = kind, status, 0
}

// instead are the requests that are sent if the other kind is refused.
var instead = map[sftptest.Kind]sftptest.Kind{sftptest.Lstat: sftptest.Stat, sftptest.PosixRename: sftptest.Rename}

func (r *refuser) hook(q *sftptest.Request) sftptest.Answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns = max(r.conns, q.Conn)
	switch {
	case q.Path != "/f", q.Kind != r.kind && q.Kind != instead[r.kind]:
		return q.Next()
	case q.Kind == r.kind:
		r.count++
	}
	return sftptest.Refuse(r.status, "")
}

func (r *refuser) counted() (requests, conns int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count, r.conns
}

// Each status but two is an answer: it is reported as what it says, sent for once, and leaves the session as it was.
func TestEachStatusIsAnAnswer(t *testing.T) {
	t.Parallel()
	for status, want := range definite {
		t.Run(fmt.Sprint(uint32(status)), func(t *testing.T) {
			t.Parallel()
			for name, c := range requests {
				r := new(refuser)
				server := sftptest.Start(t, sftptest.OnRequest(r.hook))
				fsys := newFs(t, server.Config())
				require.NoError(t, c.exists.make(server.Fs()), name)
				r.set(c.kind, status)
				err := c.call(fsys)
				count, _ := r.counted()
				require.LessOrEqual(t, count, c.most, name)
				require.Positive(t, count, name)
				requireOnePath(t, err, name)
				require.NotErrorIs(t, err, sftpfs.ErrUnavailable, name)
				require.ErrorIs(t, err, want, name)
				r.set("", 0)
				_, err = fsys.Stat("/")
				require.NoError(t, err, name)
				_, conns := r.counted()
				require.Equal(t, 1, conns, name)
			}
		})
	}
}

// These two say that there is no connection behind the server.
func TestStatusOfALostConnection(t *testing.T) {
	t.Parallel()
	for _, status := range []sftptest.Status{sftptest.StatusNoConnection, sftptest.StatusConnectionLost} {
		r := new(refuser)
		server := sftptest.Start(t, sftptest.OnRequest(r.hook))
		fsys := newFs(t, server.Config())
		r.set(sftptest.Mkdir, status)
		require.ErrorIs(t, fsys.Mkdir("f", 0o777), sftpfs.ErrUnavailable)
		r.set("", 0)
		require.NoError(t, fsys.Mkdir("f", 0o777))
		_, conns := r.counted()
		require.LessOrEqual(t, conns, 2)
	}
}

// requireOnePath requires an error that names operation and path once.
func requireOnePath(t *testing.T, err error, name string) {
	t.Helper()
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		require.NotErrorIs(t, p.Err, error(nil), name)
		require.False(t, errors.As(p.Err, new(*fs.PathError)), "%s: %v", name, err)
	case errors.As(err, &l):
		require.False(t, errors.As(l.Err, new(*fs.PathError)), "%s: %v", name, err)
	default:
		t.Fatalf("%s: %T: %v", name, err, err)
	}
}
