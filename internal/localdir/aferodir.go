package localdir

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/afero"
	"github.com/spf13/afero/mem"
)

// aferoDir is the root of an Fs that is only known by its interface. It checks what package os would before it
// calls the Fs, because an Fs in memory does not.
type aferoDir struct {
	fsys   afero.Fs
	memory bool // fsys ends in a MemMapFs, whatever stands before it

	// mu makes check and change one step, and keeps listings out meanwhile. Only taken in memory: elsewhere the
	// system's own calls are atomic, and may take long.
	mu sync.RWMutex

	contents contents // of the files that are open in memory
}

func newAferoDir(fsys afero.Fs) *aferoDir {
	fi, err := fsys.Stat(rootPath)
	_, memory := fi.(*mem.FileInfo)
	return &aferoDir{fsys: fsys, memory: err == nil && memory}
}

func (a *aferoDir) close() error { return nil }

// change begins a change of names or times; the result ends it.
func (a *aferoDir) change() (done func()) {
	if !a.memory {
		return func() {}
	}
	a.mu.Lock()
	return a.mu.Unlock
}

// observe begins what must see no change halfway.
func (a *aferoDir) observe() (done func()) {
	if !a.memory {
		return func() {}
	}
	a.mu.RLock()
	return a.mu.RUnlock
}

// path is local as fsys knows it. In memory a name with the leading separator and one without are two; which of them
// is meant is settled by the first element.
func (a *aferoDir) path(local string) string {
	if local == "." {
		return rootPath
	}
	if a.memory {
		first, _, _ := strings.Cut(local, rootPath)
		if !a.exists(rootPath+first) && a.exists(first) {
			return local
		}
	}
	return rootPath + local
}

func (a *aferoDir) exists(path string) bool {
	_, err := a.fsys.Stat(path)
	return err == nil
}

func (a *aferoDir) info(name string, fi fs.FileInfo) Info {
	defer a.contents.use(fi)()
	info := newInfo(name, fi)
	if a.memory {
		info.Mode = memoryMode(info.Mode)
	}
	return info
}

// memoryMode gives the mode that package os would have given where MemMapFs was told none: a file made by Create,
// and a directory that appeared with the first file in it.
func memoryMode(mode fs.FileMode) fs.FileMode {
	switch {
	case mode&fs.ModeTemporary != 0 && mode.Perm() == 0:
		mode |= 0o666
	case mode.IsDir() && mode.Perm() == 0:
		mode |= 0o777
	}
	return mode &^ fs.ModeTemporary
}

func (a *aferoDir) lstat(local string) (Info, error) {
	var fi fs.FileInfo
	var err error
	if l, ok := a.fsys.(afero.Lstater); ok {
		fi, _, err = l.LstatIfPossible(a.path(local))
	} else {
		fi, err = a.fsys.Stat(a.path(local))
	}
	if err != nil {
		return Info{}, a.missing(local, err)
	}
	return a.info(filepath.Base(local), fi), nil
}

// missing turns err, if it says that local does not exist, into ENOTDIR where the reason is a file in the place of a
// directory above it.
func (a *aferoDir) missing(local string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for dir := filepath.Dir(local); dir != "."; dir = filepath.Dir(dir) {
		fi, statErr := a.fsys.Stat(a.path(dir))
		if statErr == nil && !fi.IsDir() {
			return syscall.ENOTDIR
		}
		if statErr == nil {
			break
		}
	}
	return err
}

// isDir returns nil if local is a directory or leads to one.
func (a *aferoDir) isDir(local string) error {
	fi, err := a.fsys.Stat(a.path(local))
	if err == nil && !fi.IsDir() {
		return syscall.ENOTDIR
	}
	return a.missing(local, err)
}

// parent checks that the directory that local is to be made in exists.
func (a *aferoDir) parent(local string) error { return a.isDir(filepath.Dir(local)) }

// openDir opens a directory. It looks first: to open a named pipe would wait for its other end.
func (a *aferoDir) openDir(local string) (afero.File, error) {
	if err := a.isDir(local); err != nil {
		return nil, err
	}
	return a.fsys.Open(a.path(local))
}

func (a *aferoDir) readDir(local string) ([]Info, error) {
	defer a.observe()()
	f, err := a.openDir(local)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fis, err := f.Readdir(-1)
	if err != nil && err != io.EOF {
		return nil, err
	}
	infos := make([]Info, 0, len(fis))
	if a.memory && local == "." {
		return a.mergeRoot(infos, fis)
	}
	for _, fi := range fis {
		infos = append(infos, a.info(fi.Name(), fi))
	}
	return infos, nil
}

// mergeRoot appends to infos the entries of the root in memory, where two can be one name to us.
func (a *aferoDir) mergeRoot(infos []Info, fis []fs.FileInfo) ([]Info, error) {
	seen := make(map[string]bool, len(fis))
	for _, fi := range fis {
		name := fi.Name()
		if seen[name] {
			continue
		}
		seen[name] = true
		info, err := a.lstat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed meanwhile by someone who uses the Fs itself
		}
		if err != nil {
			return nil, err
		}
		infos = append(infos, info)
	}
	return infos, nil
}

func (a *aferoDir) syncDir(local string) error {
	f, err := a.openDir(local)
	if err != nil {
		return err
	}
	return syncDirFile(f)
}
