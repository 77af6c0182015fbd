package localdir

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// beneath opens files below a directory in one step, where os.Root takes one for each directory on the way. It fails
// where the kernel has no openat2, and about anything that is not simply there; os.Root says then what it is.
type beneath struct {
	dir beneathFile
}

func openBeneath(path string, root *os.Root) *beneath {
	want, err := root.Stat(".")
	if err != nil {
		return nil
	}
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	var got unix.Stat_t
	same, ok := want.Sys().(*syscall.Stat_t)
	if err := unix.Fstat(fd, &got); err != nil || !ok || got.Dev != same.Dev || got.Ino != same.Ino {
		_ = unix.Close(fd)
		return nil
	}
	return &beneath{beneathFile{fd: fd}}
}

// howBeneath has no link lead outside: the kernel sees to that.
var howBeneath = unix.OpenHow{
	Flags:   unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NONBLOCK,
	Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_MAGICLINKS,
}

// open opens a regular file to be read.
func (b *beneath) open(local string) (handle, error) {
	if b == nil {
		return nil, errors.ErrUnsupported
	}
	fd, err := b.dir.do(func(dir int) (int, error) { return unix.Openat2(dir, local, &howBeneath) })
	if err != nil {
		return nil, err
	}
	f := &beneathFile{fd: fd}
	if _, err := f.info(local); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

func (b *beneath) close() {
	if b != nil {
		_ = b.dir.Close()
	}
}

// beneathFile is an open regular file that is only read. An os.File does the same, and asks the poller first whether it
// wants to wait for it.
type beneathFile struct {
	life   sync.RWMutex // held for reading during a call, for writing by Close
	closed bool         // guarded by life
	fd     int
}

// do makes a system call, again if it was interrupted.
func (f *beneathFile) do(call func(fd int) (int, error)) (n int, err error) {
	f.life.RLock()
	defer f.life.RUnlock()
	if f.closed {
		return 0, fs.ErrClosed
	}
	for {
		if n, err = call(f.fd); err != unix.EINTR {
			return max(n, 0), err
		}
	}
}

func (f *beneathFile) ReadAt(p []byte, off int64) (done int, err error) {
	for done < len(p) {
		n, err := f.do(func(fd int) (int, error) { return unix.Pread(fd, p[done:], off+int64(done)) })
		done += n
		if err == nil && n == 0 {
			err = io.EOF
		}
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

func (f *beneathFile) WriteAt([]byte, int64) (int, error) { return 0, f.readOnly() }

func (f *beneathFile) Truncate(int64) error { return f.readOnly() }

func (f *beneathFile) readOnly() error {
	_, err := f.do(func(int) (int, error) { return 0, syscall.EBADF })
	return err
}

func (f *beneathFile) Sync() error {
	_, err := f.do(func(fd int) (int, error) { return 0, unix.Fsync(fd) })
	return err
}

func (f *beneathFile) Close() error {
	f.life.Lock()
	defer f.life.Unlock()
	if f.closed {
		return fs.ErrClosed
	}
	f.closed = true
	return unix.Close(f.fd)
}

func (f *beneathFile) info(name string) (Info, error) {
	var s unix.Stat_t
	_, err := f.do(func(fd int) (int, error) { return 0, unix.Fstat(fd, &s) })
	if err == nil && s.Mode&unix.S_IFMT != unix.S_IFREG {
		err = errNotRegular
	}
	if err != nil {
		return Info{}, err
	}
	mode := fs.FileMode(s.Mode & 0o777)
	if s.Mode&unix.S_ISUID != 0 {
		mode |= fs.ModeSetuid
	}
	if s.Mode&unix.S_ISGID != 0 {
		mode |= fs.ModeSetgid
	}
	if s.Mode&unix.S_ISVTX != 0 {
		mode |= fs.ModeSticky
	}
	return Info{Name: name, Mode: mode, Stamp: Stamp{Size: s.Size, MTime: s.Mtim.Nano(), CTime: s.Ctim.Nano(), Ino: s.Ino}}, nil
}
