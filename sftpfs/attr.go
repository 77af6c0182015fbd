package sftpfs

import (
	"errors"
	"io/fs"
	"math"
	"time"

	"github.com/pkg/sftp"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/invalid"
)

// Chmod is os.Chmod.
func (f *Fs) Chmod(name string, mode fs.FileMode) error {
	return change(f, "chmod", name, func(r remote, p string) error { return r.orMissing(p, r.chmod(p, mode)) })
}

// Chown is os.Chown: -1 leaves the user or the group as it is.
func (f *Fs) Chown(name string, uid, gid int) error {
	return change(f, "chown", name, func(r remote, p string) error {
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

// Chtimes is os.Chtimes, in whole seconds: a zero time.Time leaves that time as it is. A time that SFTP can't carry,
// before 1970 or after 2106, is fs.ErrInvalid.
func (f *Fs) Chtimes(name string, atime, mtime time.Time) error {
	return change(f, "chtimes", name, func(r remote, p string) error {
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

// orMissing looks whether what a server has refused, which may do so for every name, is there at all.
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
