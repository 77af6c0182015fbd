//go:build unix

package localdir

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// trusted returns nil if only this process's user can have written into a directory of the library: the library does
// what the files there say, locally and on the remote. The error matches fs.ErrPermission.
func (r *realDir) trusted(dir string) error {
	fi, err := r.root.Lstat(dir)
	if err != nil {
		return r.err(err)
	}
	doubt := mistrust(fi)
	if doubt == nil {
		return nil
	}
	// A file of our own shows whether the disk keeps owners and modes. Some, such as FAT, show the same for all files.
	name := filepath.Join(dir, "trusted")
	_ = r.root.Remove(name)
	f, err := r.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return doubt
	}
	defer func() { _ = r.root.Remove(name) }()
	defer f.Close()
	if own, err := f.Stat(); err != nil || mistrust(own) == nil {
		return doubt
	}
	return nil
}

func mistrust(fi fs.FileInfo) error {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("%w: it belongs to user %d, and this process is of user %d", fs.ErrPermission, st.Uid, os.Geteuid())
	}
	if mode := fi.Mode().Perm(); mode&0o022 != 0 {
		return fmt.Errorf("%w: others may write into it (%v)", fs.ErrPermission, mode)
	}
	return nil
}
