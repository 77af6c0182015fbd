package sftpfs

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"syscall"
	"time"

	"github.com/pkg/sftp"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

// A remote is a session as one call sees it: paths are clean, errors reduced, and no request goes out once the
// call's context has ended.
type remote struct {
	*session
	ctx   context.Context
	asked *lastRequest // nil: nobody wants to know
}

// ask sends a request on the path p.
func ask[T any](r remote, p string, request func(full string) (T, error)) (T, error) {
	var zero T
	if err := r.ctx.Err(); err != nil {
		return zero, err
	}
	full := r.on(p)
	r.asks(wire.HashPath(full))
	v, err := request(full)
	if err != nil {
		return zero, tooLong(r.reduce(err), full)
	}
	return v, nil
}

// tell is ask for a request whose only answer is a status.
func tell(r remote, p string, request func(full string) error) error {
	_, err := ask(r, p, func(full string) (struct{}, error) { return struct{}{}, request(full) })
	return err
}

func (r remote) stat(p string) (fs.FileInfo, error) {
	fi, err := ask(r, p, func(full string) (fs.FileInfo, error) { return snapshot(p)(r.client.Stat(full)) })
	return fi, r.orThroughFile(p, err)
}

func (r remote) lstat(p string) (fs.FileInfo, error) {
	fi, err := ask(r, p, func(full string) (fs.FileInfo, error) { return snapshot(p)(r.client.Lstat(full)) })
	if err == nil && r.lstatFollows() {
		fi = r.unfollowed(p, fi)
	}
	return fi, r.orThroughFile(p, err)
}

// orThroughFile finds out whether what a server has no words for is a path that leads through a file. Others say of that
// that there is nothing.
func (r remote) orThroughFile(p string, err error) error {
	if !refused(err) || p == "/" {
		return err
	}
	dir, derr := r.stat(path.Dir(p))
	if missing(derr) || derr == nil && !dir.IsDir() {
		return syscall.ENOENT
	}
	return err
}

func (r remote) open(p string, flag int) (*sftp.File, error) {
	return ask(r, p, func(full string) (*sftp.File, error) { return r.client.OpenFile(full, flag) })
}

func (r remote) mkdir(p string) error { return tell(r, p, r.client.Mkdir) }

// removeFile removes what an lstat has just found to be no directory. (pkg/sftp sends REMOVE only with an RMDIR
// after it, should it be refused.)
func (r remote) removeFile(p string) error { return tell(r, p, r.client.Remove) }

func (r remote) removeDir(p string) error { return tell(r, p, r.client.RemoveDirectory) }

// rename replaces newp where the server offers to do so atomically.
func (r remote) rename(oldp, newp string) error {
	send := r.client.Rename
	if r.offers(wire.ExtensionPosixRename) {
		send = r.client.PosixRename
	}
	return tell(r, newp, func(full string) error { return send(r.on(oldp), full) })
}

func (r remote) chmod(p string, mode fs.FileMode) error {
	return tell(r, p, func(full string) error { return r.client.Chmod(full, mode) })
}

func (r remote) chown(p string, uid, gid int) error {
	return tell(r, p, func(full string) error { return r.client.Chown(full, uid, gid) })
}

func (r remote) chtimes(p string, atime, mtime time.Time) error {
	return tell(r, p, func(full string) error { return r.client.Chtimes(full, atime, mtime) })
}

func (r remote) readlink(p string) (string, error) {
	target, err := ask(r, p, r.client.ReadLink)
	return r.shown(target), err
}

// list returns the entries of the directory p, unsorted. Names are data of the server's: one that can't be the
// name of an entry fails the listing, lest a path made of it lead elsewhere. (pkg/sftp drops "." and "..", which
// some servers list, and what stands before the last slash of a name: a wire refuses such a name before.)
func (r remote) list(p string) ([]fs.FileInfo, error) {
	if entries, err := r.listPipelined(p); err == nil || errors.Is(err, ErrUnavailable) || errors.As(err, new(wire.BadAnswer)) {
		return entries, err
	}
	entries, err := ask(r, p, func(full string) ([]fs.FileInfo, error) {
		entries, err := r.client.ReadDirContext(r.ctx, full)
		if r.ctx.Err() != nil {
			return nil, nil // no fault of the connection's: see below
		}
		return entries, err
	})
	if err == nil {
		err = r.ctx.Err() // of a listing that it has ended, nothing is to be believed
	}
	if err != nil {
		return nil, err
	}
	for i, fi := range entries {
		if err := wire.CheckName(fi.Name()); err != nil {
			return nil, err
		}
		if entries[i], err = newInfo(fi.Name(), fi); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// snapshot gives what the server states about p the base name of p.
func snapshot(p string) func(fs.FileInfo, error) (fs.FileInfo, error) {
	return func(fi fs.FileInfo, err error) (fs.FileInfo, error) {
		if err != nil {
			return nil, err
		}
		return newInfo(path.Base(p), fi)
	}
}

func newInfo(name string, fi fs.FileInfo) (fs.FileInfo, error) {
	return wire.NewInfo(name, fi.Sys().(*sftp.FileStat))
}
