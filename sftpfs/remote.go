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

// A remote is a session as one call sees it: paths are clean, errors are reduced, and no request is sent after the
// call's context has ended.
type remote struct {
	*session
	ctx   context.Context
	asked *lastRequest // nil: not recorded
}

// ask sends a request about the path p.
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

// tell is ask for a request whose answer is only a status.
func tell(r remote, p string, request func(full string) error) error {
	_, err := ask(r, p, func(full string) (struct{}, error) { return struct{}{}, request(full) })
	return err
}

func (r remote) stat(p string) (fs.FileInfo, error) {
	fi, err := ask(r, p, func(full string) (fs.FileInfo, error) { return snapshot(p)(r.client.Stat(full)) })
	if err == nil && !typed(fi) {
		return r.withType(p, fi)
	}
	return fi, r.orThroughFile(p, err)
}

func (r remote) lstat(p string) (fs.FileInfo, error) {
	fi, err := ask(r, p, func(full string) (fs.FileInfo, error) { return snapshot(p)(r.client.Lstat(full)) })
	switch {
	case forbidden(err):
		return r.lstatOtherwise(p, err)
	case err == nil && (r.lstatFollows() || !typed(fi)):
		fi = r.unfollowed(p, fi)
	}
	if err == nil && !typed(fi) {
		return r.withType(p, fi)
	}
	return fi, r.orThroughFile(p, err)
}

// orThroughFile turns a bare failure into syscall.ENOENT if p leads through a file, or its parent does not exist. Other
// servers report that themselves.
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

// removeFile removes what an lstat has just found not to be a directory. If the server refuses that, pkg/sftp would send
// RMDIR, then STAT, and perhaps return the answer to the latter.
func (r remote) removeFile(p string) error {
	if r.wire != nil {
		return tell(r, p, func(full string) error {
			replies, err := r.exchange(wire.Remove(full))
			if err != nil {
				return err
			}
			return replies[0].Refusal()
		})
	}
	err := tell(r, p, r.client.Remove)
	if missing(err) {
		if _, lerr := r.lstat(p); lerr == nil {
			return answer(wire.Status{Code: wire.StatusFailure}) // to REMOVE; the answer that was not returned
		}
	}
	return err
}

func (r remote) removeDir(p string) error { return tell(r, p, r.client.RemoveDirectory) }

func (r remote) chmod(p string, mode fs.FileMode) error {
	return r.learnt.unlessRefused(kindSetstatMode, func() error {
		return tell(r, p, func(full string) error { return r.client.Chmod(full, mode) })
	})
}

func (r remote) chown(p string, uid, gid int) error {
	return tell(r, p, func(full string) error { return r.client.Chown(full, uid, gid) })
}

func (r remote) chtimes(p string, atime, mtime time.Time) error {
	return tell(r, p, func(full string) error { return r.client.Chtimes(full, atime, mtime) })
}

func (r remote) readlink(p string) (target string, err error) {
	err = r.learnt.unlessRefused(kindReadlink, func() (err error) {
		target, err = r.readAnyLink(p)
		return err
	})
	return target, err
}

// readAnyLink is readlink, and learns nothing from the answer.
func (r remote) readAnyLink(p string) (string, error) {
	target, err := ask(r, p, r.client.ReadLink)
	return r.shown(target), err
}

// list returns the entries of the directory p, unsorted.
func (r remote) list(p string) ([]fs.FileInfo, error) {
	entries, err := r.listBare(p)
	if err != nil {
		return entries, err
	}
	return r.complete(p, entries)
}

// listBare is list, but the server may leave out attributes. Names are data from the server: one that cannot be the name of
// an entry fails the listing, because a path made of it could lead elsewhere. (pkg/sftp drops "." and "..", which some
// servers list. It also cuts a name to what follows its last slash, but a wire refuses such a name first.)
func (r remote) listBare(p string) ([]fs.FileInfo, error) {
	if entries, err := r.listPipelined(p); err == nil || errors.Is(err, ErrUnavailable) || errors.As(err, new(wire.BadAnswer)) {
		return entries, err
	}
	entries, err := ask(r, p, func(full string) ([]fs.FileInfo, error) {
		entries, err := r.client.ReadDirContext(r.ctx, full)
		if r.ctx.Err() != nil {
			return nil, nil // not a fault of the connection: see below
		}
		return entries, err
	})
	if err == nil {
		err = r.ctx.Err() // a listing that the context has ended is not to be trusted
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

// snapshot returns a function that gives the attributes of p the base name of p.
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
