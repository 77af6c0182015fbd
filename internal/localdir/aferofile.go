package localdir

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"

	"github.com/spf13/afero"
	"github.com/spf13/afero/mem"
)

// aferoFile is an open file of an aferoDir.
type aferoFile struct {
	dir                *aferoDir
	readable, writable bool

	file    afero.File
	content *content

	life   sync.RWMutex // read-locked during a call, write-locked by Close
	closed bool         // guarded by life

	// position is locked by calls that may move the position of file: ReadAt and WriteAt do in many an afero.File. Sync
	// does not lock it, because it may take long.
	position sync.Mutex
}

const accessMode = os.O_RDONLY | os.O_WRONLY | os.O_RDWR

func (a *aferoDir) openFile(local string, flag int, perm fs.FileMode) (handle, error) {
	defer a.change()()
	_, err := a.lstat(local)
	if err == nil && flag&(os.O_CREATE|os.O_EXCL) == os.O_CREATE|os.O_EXCL {
		return nil, syscall.EEXIST
	}
	fi, err := a.fsys.Stat(a.path(local))
	switch {
	case err == nil:
		err = wantRegular(fi) // checked before opening: a named pipe would wait for its other end
	case errors.Is(err, fs.ErrNotExist) && flag&os.O_CREATE != 0:
		err = a.parent(local)
	default:
		err = a.missing(local, err)
	}
	if err != nil {
		return nil, err
	}
	defer a.contents.use(fi)()
	return a.openHandle(local, flag, perm)
}

func (a *aferoDir) openHandle(local string, flag int, perm fs.FileMode) (handle, error) {
	access := flag & accessMode
	if access == os.O_RDONLY && flag&os.O_TRUNC != 0 {
		// Linux truncates in this case. MemMapFs would not.
		flag |= os.O_RDWR
	}
	f, err := a.fsys.OpenFile(a.target(local), flag, perm)
	if err != nil {
		if f != nil {
			f.Close()
		}
		return nil, a.missing(local, err)
	}
	fi, err := f.Stat()
	if err == nil {
		err = wantRegular(fi)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &aferoFile{
		dir:      a,
		readable: access != os.O_WRONLY,
		writable: access != os.O_RDONLY,
		file:     f,
		content:  a.contents.acquire(fi),
	}, nil
}

// begin enters a call, if it is permitted on the file; the returned function leaves it.
func (f *aferoFile) begin(permitted bool) (done func(), err error) {
	f.life.RLock()
	if f.closed {
		err = fs.ErrClosed
	} else if !permitted {
		err = syscall.EBADF
	}
	if err != nil {
		f.life.RUnlock()
		return nil, err
	}
	return f.life.RUnlock, nil
}

func (f *aferoFile) ReadAt(p []byte, off int64) (n int, err error) {
	done, err := f.begin(f.readable)
	if err != nil {
		return 0, err
	}
	defer done()
	f.position.Lock()
	defer f.position.Unlock()
	for n < len(p) {
		m, err := f.file.ReadAt(p[n:], off+int64(n))
		n += m
		switch {
		case n == len(p):
			return n, nil
		case err == io.ErrUnexpectedEOF && f.endsBy(off+int64(n)):
			return n, io.EOF // MemMapFs returns this for an offset behind the end
		case err != nil:
			return n, err
		case m == 0:
			return n, io.ErrNoProgress
		}
	}
	return n, nil
}

func (f *aferoFile) endsBy(off int64) bool {
	fi, err := f.file.Stat()
	return err == nil && fi.Size() <= off
}

func (f *aferoFile) WriteAt(p []byte, off int64) (n int, err error) {
	done, err := f.begin(f.writable)
	if err != nil {
		return 0, err
	}
	defer done()
	f.position.Lock()
	defer f.position.Unlock()
	defer f.content.use()()
	for n < len(p) {
		m, err := f.file.WriteAt(p[n:], off+int64(n))
		n += m
		if err == nil && m == 0 {
			err = io.ErrShortWrite
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

func (f *aferoFile) Truncate(size int64) error {
	done, err := f.begin(f.writable)
	if err != nil {
		return err
	}
	defer done()
	f.position.Lock()
	defer f.position.Unlock()
	defer f.content.use()()
	return f.file.Truncate(size)
}

func (f *aferoFile) Sync() error {
	done, err := f.begin(true)
	if err != nil {
		return err
	}
	defer done()
	return f.file.Sync()
}

func (f *aferoFile) info(name string) (Info, error) {
	done, err := f.begin(true)
	if err != nil {
		return Info{}, err
	}
	defer done()
	fi, err := f.file.Stat()
	if err != nil {
		return Info{}, err
	}
	return f.dir.info(name, fi), nil
}

func (f *aferoFile) Close() error {
	f.life.Lock()
	defer f.life.Unlock()
	if f.closed {
		return fs.ErrClosed
	}
	f.closed = true

	if f.content == nil {
		return f.file.Close()
	}
	defer f.dir.contents.release(f.content)
	f.content.Lock()
	defer f.content.Unlock()
	// FileData is the file itself, so this works even if the file has been renamed.
	mtime := mem.GetFileInfo(f.content.data).ModTime()
	defer mem.SetModTime(f.content.data, mtime)
	return f.file.Close()
}
