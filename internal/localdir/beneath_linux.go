package localdir

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// beneath opens files below a directory with one system call, where os.Root takes one for each directory on the way. It
// fails if the kernel has no openat2, and on anything but the ordinary case; then os.Root is used and returns the
// proper error.
type beneath struct {
	dir  beneathFile
	last lastDir
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
	b := &beneath{dir: beneathFile{fd: fd}}
	probe, err := b.at(".", unix.O_PATH, 0)
	if err != nil { // an old kernel, or openat2 is forbidden
		b.close()
		return nil
	}
	_ = probe.Close()
	return b
}

// at opens name local. The kernel ensures that no symbolic link leads outside.
func (b *beneath) at(local string, flags uint64, perm fs.FileMode) (*beneathFile, error) {
	if b == nil {
		return nil, errors.ErrUnsupported
	}
	how := unix.OpenHow{
		Flags:   flags | unix.O_CLOEXEC,
		Mode:    uint64(perm),
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_MAGICLINKS,
	}
	fd, err := b.dir.do(func(dir int) (int, error) { return unix.Openat2(dir, local, &how) })
	if err != nil {
		return nil, err
	}
	return &beneathFile{fd: fd}, nil
}

// open opens a regular file for reading.
func (b *beneath) open(local string) (handle, error) {
	f, err := b.at(local, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if _, err := f.info(local); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// create creates a file that does not exist yet.
func (b *beneath) create(local string, perm fs.FileMode) (handle, error) {
	if perm != perm.Perm() {
		return nil, errors.ErrUnsupported
	}
	f, err := b.at(local, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, perm)
	if err != nil {
		return nil, err
	}
	f.writable = true
	return f, nil
}

// lstat describes a name. ENOENT is final; on other errors, os.Root is asked.
func (b *beneath) lstat(local string) (Info, error) {
	if b == nil {
		return Info{}, errors.ErrUnsupported
	}
	if info, err := b.last.lstat(b, local); err == nil || err == syscall.ENOENT {
		return info, err
	}
	f, err := b.at(local, unix.O_PATH|unix.O_NOFOLLOW, 0)
	if err != nil {
		return Info{}, err
	}
	defer f.Close()
	return f.stat(filepath.Base(local))
}

// rename renames a file or directory, unless the new name is that of a directory.
func (b *beneath) rename(oldlocal, newlocal string) error {
	from, err := b.at(filepath.Dir(oldlocal), unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := b.at(filepath.Dir(newlocal), unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer to.Close()
	oldname, newname := filepath.Base(oldlocal), filepath.Base(newlocal)
	var there unix.Stat_t
	err = unix.Fstatat(to.fd, newname, &there, unix.AT_SYMLINK_NOFOLLOW)
	if err == nil && there.Mode&unix.S_IFMT == unix.S_IFDIR {
		return syscall.EEXIST
	}
	return unix.Renameat(from.fd, oldname, to.fd, newname)
}

func (b *beneath) close() {
	if b != nil {
		b.last.mu.Lock()
		defer b.last.mu.Unlock()
		b.last.close()
		_ = b.dir.Close()
	}
}

// beneathFile is an open regular file. Unlike an os.File, it does not first ask the poller whether the file supports
// waiting.
type beneathFile struct {
	life     sync.RWMutex // held for reading during a call, for writing by Close
	closed   bool         // guarded by life
	fd       int
	writable bool
}

// do makes a system call, and repeats it if it was interrupted.
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

func (f *beneathFile) WriteAt(p []byte, off int64) (done int, err error) {
	for first := true; first || done < len(p); first = false {
		n, err := f.change(func(fd int) (int, error) { return unix.Pwrite(fd, p[done:], off+int64(done)) })
		done += n
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

func (f *beneathFile) Truncate(size int64) error {
	_, err := f.change(func(fd int) (int, error) { return 0, unix.Ftruncate(fd, size) })
	return err
}

// change is do for calls that need a file that was opened for writing.
func (f *beneathFile) change(call func(fd int) (int, error)) (int, error) {
	if !f.writable {
		call = func(int) (int, error) { return 0, syscall.EBADF }
	}
	return f.do(call)
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
	info, err := f.stat(name)
	if err == nil && !info.Mode.IsRegular() {
		err = errNotRegular
	}
	return info, err
}

// stat describes the open file, of whatever kind.
func (f *beneathFile) stat(name string) (Info, error) {
	var s unix.Stat_t
	if _, err := f.do(func(fd int) (int, error) { return 0, unix.Fstat(fd, &s) }); err != nil {
		return Info{}, err
	}
	return infoOf(name, &s), nil
}

func infoOf(name string, s *unix.Stat_t) Info {
	return Info{Name: name, Mode: modeOf(s.Mode),
		Stamp: Stamp{Size: s.Size, MTime: s.Mtim.Nano(), CTime: s.Ctim.Nano(), Ino: s.Ino}}
}

// modeOf converts a mode of the system to one of package fs.
func modeOf(m uint32) fs.FileMode {
	mode := fs.FileMode(m & 0o777)
	if m&unix.S_ISUID != 0 {
		mode |= fs.ModeSetuid
	}
	if m&unix.S_ISGID != 0 {
		mode |= fs.ModeSetgid
	}
	if m&unix.S_ISVTX != 0 {
		mode |= fs.ModeSticky
	}
	switch m & unix.S_IFMT {
	case unix.S_IFDIR:
		mode |= fs.ModeDir
	case unix.S_IFLNK:
		mode |= fs.ModeSymlink
	case unix.S_IFIFO:
		mode |= fs.ModeNamedPipe
	case unix.S_IFSOCK:
		mode |= fs.ModeSocket
	case unix.S_IFBLK:
		mode |= fs.ModeDevice
	case unix.S_IFCHR:
		mode |= fs.ModeDevice | fs.ModeCharDevice
	}
	return mode
}
