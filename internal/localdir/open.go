package localdir

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"syscall"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/oserr"
)

// Open opens the root of fsys as a local directory. It makes StateDir and the directories below it if they are missing,
// and takes the lock.
//
// The error matches fs.ErrNotExist if the root is missing, syscall.ENOTDIR if the root or StateDir is not a directory,
// ErrLocked if another Dir holds the directory, and fs.ErrPermission if somebody else may have written into StateDir.
//
// The lock of a real directory excludes all processes of this machine, and ends with its process however that dies. Any
// other lock only excludes this process: two Fs are the same if they are equal, or show the same directory in memory.
func Open(fsys afero.Fs) (_ *Dir, err error) {
	fi, err := fsys.Stat(rootPath)
	if err == nil && !fi.IsDir() {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return nil, oserr.Path("open", nameOf(fsys), err)
	}
	d := &Dir{name: fsys.Name(), unlock: func() error { return nil }}
	if real := openReal(fsys); real != nil {
		d.backend, d.name = real, real.path
	} else {
		d.backend = newAferoDir(fsys)
	}
	defer func() {
		if err != nil {
			d.Close()
		}
	}()

	if err := d.ownDir(StateDir); err != nil {
		return nil, err
	}
	if real, ok := d.backend.(*realDir); ok {
		if err := real.trusted(StateDir); err != nil {
			return nil, oserr.Path("open", path.Join(d.name, StateDir), err)
		}
	}
	if err := d.noLink(lockName); err != nil {
		return nil, oserr.Path("lock", path.Join(d.name, lockName), err)
	}
	unlock, err := d.backend.lock(StateDir)
	if err != nil {
		return nil, oserr.Path("lock", d.name, err)
	}
	d.unlock = unlock
	for _, sub := range []string{TmpDir, PartialDir, TrashDir, DiscardedDir} {
		if err := d.ownDir(sub); err != nil {
			return nil, err
		}
	}
	if d.umask, err = d.measureUmask(); err != nil {
		return nil, err
	}
	return d, d.translate()
}

// translate makes d translate names, if the disk does not hold all names or does not keep them apart.
func (d *Dir) translate() error {
	disk := d.backend
	// If the directory was copied from another disk, names that were escaped there still are.
	_, err := d.Lstat(NamesDir)
	if errors.Is(err, fs.ErrNotExist) && keepsNames(disk) {
		return nil
	}
	held, altered, probeErr := probe(disk, probes...)
	if probeErr != nil {
		return oserr.Path("open", d.name, probeErr)
	}
	if errors.Is(err, fs.ErrNotExist) && len(held) == len(probes) && !altered {
		return nil
	}
	_, real := disk.(*realDir)
	d.backend = &translated{disk: disk, alters: altered, caches: real}
	return d.ownDir(NamesDir)
}

// Memory returns a Dir of a whole MemMapFs. It makes no StateDir and takes no lock: any number of users may share the
// Dir, and it need not be closed.
func Memory(fsys *afero.MemMapFs) *Dir {
	return &Dir{backend: newAferoDir(fsys), name: fsys.Name(), unlock: func() error { return nil }}
}

// ownDir makes a directory of the library. It refuses a symbolic link in its place, wherever that leads, because the
// files of the library must not mix with those of the user.
func (d *Dir) ownDir(name string) error {
	info, err := d.Lstat(name)
	if err == nil && info.IsDir() {
		return nil
	}
	if err == nil {
		return oserr.Path("open", name, syscall.ENOTDIR)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err = d.Mkdir(name, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil // another process opens the directory now; the lock decides
	}
	if err != nil {
		return err
	}
	return d.SyncDir(path.Dir(name)) // else the directory could be lost with everything that is synced in it
}

func (d *Dir) measureUmask() (fs.FileMode, error) {
	const probe = TmpDir + "/umask"
	if err := d.RemoveAll(probe); err != nil {
		return 0, err
	}
	f, err := d.OpenFile(probe, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fs.ModePerm)
	if err != nil {
		return 0, err
	}
	info, err := f.Stat()
	f.Close()
	if removeErr := d.Remove(probe); err == nil {
		err = removeErr
	}
	return fs.ModePerm &^ info.Mode, err
}

// Close releases the lock. Open files stay open. A second Close has no effect.
func (d *Dir) Close() error {
	if d.closed.Swap(true) {
		return nil
	}
	err := d.unlock()
	if closeErr := d.backend.close(); err == nil {
		err = closeErr
	}
	return oserr.Path("close", d.name, err)
}
