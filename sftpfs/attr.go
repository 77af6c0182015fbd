package sftpfs

import (
	"errors"
	"io/fs"
	"math"
	"time"

	"github.com/pkg/sftp"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/invalid"
)

// Chmod is like os.Chmod.
func (f *Fs) Chmod(name string, mode fs.FileMode) error {
	return change(f, "chmod", name, func(r remote, p string) error { return r.orMissing(p, r.chmod(p, mode)) })
}

// Chown is like os.Chown: -1 leaves the user or the group unchanged.
func (f *Fs) Chown(name string, uid, gid int) error {
	return changeUnless(f, kindSetstatOwner, "chown", name, func(r remote, p string) error {
		if uid == -1 || gid == -1 { // SFTP sets both
			fi, err := r.stat(p)
			if err != nil {
				return err
			}
			have := fi.Sys().(*sftp.FileStat)
			if uid == -1 {
				uid = int(have.UID)
			}
			if gid == -1 {
				gid = int(have.GID)
			}
		}
		return r.orMissing(p, r.chown(p, uid, gid))
	})
}

// Chtimes is like os.Chtimes, in whole seconds. A zero time.Time leaves that time unchanged. A time before 1970 or
// after 2106 fails with fs.ErrInvalid, because SFTP cannot carry it.
func (f *Fs) Chtimes(name string, atime, mtime time.Time) error {
	return changeUnless(f, kindSetstatTimes, "chtimes", name, func(r remote, p string) error {
		if atime.IsZero() || mtime.IsZero() { // SFTP sets both
			fi, err := r.stat(p)
			if err != nil {
				return err
			}
			if atime.IsZero() {
				atime = fi.Sys().(*sftp.FileStat).AccessTime()
			}
			if mtime.IsZero() {
				mtime = fi.ModTime()
			}
		}
		if !fits(atime) || !fits(mtime) {
			return invalid.Argument
		}
		return r.orMissing(p, r.chtimes(p, atime, mtime))
	})
}

// orMissing replaces fs.ErrPermission by fs.ErrNotExist if p does not exist: a server that refuses such requests may
// refuse them for every name.
func (r remote) orMissing(p string, err error) error {
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	if _, serr := r.stat(p); missing(serr) {
		return serr
	}
	return err
}

func fits(t time.Time) bool { return t.Unix() >= 0 && t.Unix() <= math.MaxUint32 }
