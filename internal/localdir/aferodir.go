package localdir

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/spf13/afero"
	"github.com/spf13/afero/mem"
)

// aferoDir is the root of an Fs of unknown kind. It makes the checks of package os before it calls the Fs, because an
// Fs in memory does not.
type aferoDir struct {
	fsys   afero.Fs
	memory bool // fsys ends in a MemMapFs, possibly behind wrappers

	// mu makes check and change one atomic step, and keeps listings out meanwhile. It is only used in memory: elsewhere
	// the system's own calls are atomic, and may take long.
	mu sync.RWMutex

	contents contents // of files that are open in memory
	spelling spelling // of names in memory
}

func newAferoDir(fsys afero.Fs) *aferoDir {
	fi, err := fsys.Stat(rootPath)
	_, memory := fi.(*mem.FileInfo)
	return &aferoDir{fsys: fsys, memory: err == nil && memory}
}

func (a *aferoDir) close() error { return nil }

// change begins a change of names or times; the returned function ends it.
func (a *aferoDir) change() (done func()) {
	if !a.memory {
		return func() {}
	}
	a.mu.Lock()
	return a.mu.Unlock
}

// observe begins a read that must not see half of a change; the returned function ends it.
func (a *aferoDir) observe() (done func()) {
	if !a.memory {
		return func() {}
	}
	a.mu.RLock()
	return a.mu.RUnlock
}

// paths returns the paths under which fsys has local. In memory, a name with a leading separator and the same name
// without one are different. If both exist, the first hides the second, but two directories are treated as one.
func (a *aferoDir) paths(local string) []string {
	if local == "." {
		return []string{rootPath}
	}
	if !a.memory {
		return []string{rootPath + local}
	}
	var paths []string
	with, err := a.fsys.Stat(rootPath + local)
	if err == nil {
		paths = append(paths, rootPath+local)
	}
	without, err := a.fsys.Stat(local)
	if err == nil && !sameData(with, without) { // the wrappers of the MemMapFs may make them one
		paths = append(paths, local)
	}
	return paths
}

func sameData(a, b fs.FileInfo) bool {
	x, ok := a.(*mem.FileInfo)
	y, ok2 := b.(*mem.FileInfo)
	return ok && ok2 && x.FileData == y.FileData
}

// path returns the path of local if it exists, or the path that it would have.
func (a *aferoDir) path(local string) string {
	if paths := a.paths(local); len(paths) > 0 {
		return paths[0]
	}
	return rootPath + local
}

// target returns the path of local, or the path to create it at, with the spelling of its directory.
func (a *aferoDir) target(local string) string {
	if paths := a.paths(local); len(paths) > 0 {
		return paths[0]
	}
	switch dir := filepath.Dir(local); {
	case dir != ".":
		return filepath.Join(a.target(dir), filepath.Base(local))
	case !Reserved(local) && a.spelling.choose(a.fsys) == noSlash:
		return local
	}
	return rootPath + local
}

func (a *aferoDir) info(name string, fi fs.FileInfo) Info {
	defer a.contents.use(fi)()
	info := newInfo(name, fi)
	if a.memory {
		info.Mode = memoryMode(info.Mode)
	}
	info.Stamp.inode(fi)
	return info
}

// memoryMode returns the mode that package os would have given where MemMapFs was given none: to a file made by Create,
// and to a directory that appeared with the first file in it.
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

// missing turns an error that matches fs.ErrNotExist into ENOTDIR if the reason is a file in the place of a directory
// above local.
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

// isDir returns nil if local is a directory or a symbolic link to one.
func (a *aferoDir) isDir(local string) error {
	fi, err := a.fsys.Stat(a.path(local))
	if err == nil && !fi.IsDir() {
		return syscall.ENOTDIR
	}
	return a.missing(local, err)
}

// parent checks that the directory of local exists.
func (a *aferoDir) parent(local string) error { return a.isDir(filepath.Dir(local)) }

// openDir opens a directory. It checks the kind first, because opening a named pipe would wait for its other end.
func (a *aferoDir) openDir(local string) (afero.File, error) {
	if err := a.isDir(local); err != nil {
		return nil, err
	}
	return a.fsys.Open(a.path(local))
}

func (a *aferoDir) readDir(local string, _ bool) ([]Info, error) {
	defer a.observe()()
	if err := a.isDir(local); err != nil {
		return nil, err
	}
	paths := a.paths(local)
	var fis []fs.FileInfo
	for _, path := range paths {
		f, err := a.fsys.Open(path)
		if err != nil {
			return nil, err
		}
		some, err := f.Readdir(-1)
		f.Close()
		if err != nil && err != io.EOF {
			return nil, err
		}
		fis = append(fis, some...)
	}
	if a.memory && (local == "." || len(paths) > 1) {
		return a.merge(local, fis)
	}
	infos := make([]Info, 0, len(fis))
	for _, fi := range fis {
		infos = append(infos, a.info(fi.Name(), fi))
	}
	return infos, nil
}

// merge describes the entries of a directory in memory, where two entries can have the same name here.
func (a *aferoDir) merge(dir string, fis []fs.FileInfo) ([]Info, error) {
	infos := make([]Info, 0, len(fis))
	seen := make(map[string]bool, len(fis))
	for _, fi := range fis {
		name := fi.Name()
		if seen[name] {
			continue
		}
		seen[name] = true
		info, err := a.lstat(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed meanwhile by a direct user of the Fs
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
