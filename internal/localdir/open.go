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

// Open takes the root of fsys as a local directory. It creates StateDir and the directories below it if they are
// missing, and takes the lock.
//
// The error matches fs.ErrNotExist if the root is missing, syscall.ENOTDIR if it or StateDir is no directory, and
// ErrLocked if another Dir holds the directory, fs.ErrPermission if somebody else may have written into StateDir. For a
// real directory that Dir may be in any process of this machine, and the lock ends with its process however that dies. Elsewhere only this process is covered: two Fs are known to
// be the same if they are equal, or show the same directory in memory.
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

// translate translates names from now on, if the disk does not hold all of them, or takes some for others.
func (d *Dir) translate() error {
	backend := d.backend.(disk)
	// Names that were escaped on another disk, from which the directory was copied, are still.
	_, err := d.Lstat(NamesDir)
	if errors.Is(err, fs.ErrNotExist) && keepsNames(backend) {
		return nil
	}
	held, altered, probeErr := probe(backend, probes...)
	if probeErr != nil {
		return oserr.Path("open", d.name, probeErr)
	}
	if errors.Is(err, fs.ErrNotExist) && len(held) == len(probes) && !altered {
		return nil
	}
	_, real := backend.(*realDir)
	d.backend = &translated{disk: backend, alters: altered, caches: real}
	return d.ownDir(NamesDir)
}

// Memory takes all of a MemMapFs. It makes no StateDir and takes no lock: any number may use the Dir, which need not be
// closed.
func Memory(fsys *afero.MemMapFs) *Dir {
	return &Dir{backend: newAferoDir(fsys), name: fsys.Name(), unlock: func() error { return nil }}
}

// ownDir makes a directory of the library's own. A link in its place is refused, wherever it leads: what is kept
// there must not mix with the user's files.
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
		return nil // by another process that opens the directory now; the lock decides
	}
	if err != nil {
		return err
	}
	return d.SyncDir(path.Dir(name)) // or what is synced in it could be lost with it
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

// Close releases the lock. Files that are open stay open. Closing twice is harmless.
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
