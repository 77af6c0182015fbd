package sftpfs

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path"
	"strings"
	"syscall"

	"github.com/pkg/sftp"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/invalid"
	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

// SymlinkIfPossible makes newname a link to oldname. A relative target is stored as it is, an absolute one as the
// place below Config.Root that it means here.
func (f *Fs) SymlinkIfPossible(oldname, newname string) error {
	p, err := clean(newname)
	if err == nil {
		_, err = clean(oldname)
	}
	if err == nil {
		err = run(f, once, func(r remote) error {
			err := f.symlink(r, oldname, p)
			if refused(err) {
				if _, lerr := r.lstat(p); lerr == nil {
					return syscall.EEXIST
				}
			}
			return err
		})
	}
	return linkError("symlink", oldname, newname, err)
}

// symlink sends the two paths in the order that the server reads them in: most take OpenSSH's, which is not that of
// the draft. In the wrong one the link would be made where the target is meant to be, which may be anywhere.
func (f *Fs) symlink(r remote, target, p string) error {
	order := f.learnt.linkOrder()
	if order == 0 {
		var err error
		if order, err = r.linkOrder(path.Dir(p)); err != nil {
			return err
		}
		f.learnt.noteLinkOrder(order)
	}
	return tell(r, p, func(full string) error {
		if order == draftOrder {
			return r.client.Symlink(full, r.target(target))
		}
		return r.client.Symlink(r.target(target), full)
	})
}

// The orders in which a server reads the paths of a link. 0: not known.
const (
	opensshOrder = 1 + iota
	draftOrder
)

// linkOrderOf returns the order of the servers that say who they are, 0 of others. pkg/sftp's have the version of
// x/crypto.
func linkOrderOf(version string) int {
	switch {
	case strings.Contains(version, "OpenSSH"), version == "SSH-2.0-Go":
		return opensshOrder
	case strings.Contains(version, "AsyncSSH"): // which has it for clients that are no OpenSSH
		return draftOrder
	}
	return 0
}

// linkOrder finds the order, of a server that is not known, by making a link between two new names in dir, which is
// where it shows and does no harm. If the connection is lost meanwhile, the link may be left.
func (r remote) linkOrder(dir string) (int, error) {
	if r.conn.ssh != nil {
		if order := linkOrderOf(string(r.conn.ssh.ServerVersion())); order != 0 {
			return order, nil
		}
	}
	name := path.Join(dir, fmt.Sprintf(".sftpfs-%016x", rand.Uint64()))
	target, link := name+".target", name+".link"
	if err := tell(r, link, func(full string) error { return r.client.Symlink(r.on(target), full) }); err != nil {
		return 0, err
	}
	made, order := link, opensshOrder
	if _, err := r.lstat(link); missing(err) {
		made, order = target, draftOrder
	}
	return order, r.removeFile(made)
}

// ReadlinkIfPossible returns the target of the link: a relative one as it is stored, an absolute one as seen from
// Config.Root, where it lies below that.
func (f *Fs) ReadlinkIfPossible(name string) (string, error) {
	target, err := look(f, name, func(r remote, p string) (string, error) {
		target, err := r.readlink(p)
		if refused(err) {
			if fi, lerr := r.lstat(p); lerr == nil && fi.Mode()&fs.ModeSymlink == 0 {
				return "", invalid.Argument
			}
		}
		return target, err
	})
	return target, pathError("readlink", name, err)
}

// lstatFollows tells whether the server is known to follow a link also where it is asked not to, if that leads somewhere.
func (r remote) lstatFollows() bool {
	return r.conn.ssh != nil && strings.Contains(string(r.conn.ssh.ServerVersion()), "mod_sftp")
}

// unfollowed returns what p is itself, fi being what the server says that it is.
func (r remote) unfollowed(p string, fi fs.FileInfo) fs.FileInfo {
	if fi.Mode()&fs.ModeSymlink != 0 {
		return fi
	}
	target, err := r.readlink(p)
	if err != nil {
		return fi
	}
	const linkToAll = 0o120777         // its mode
	link, _ := wire.NewInfo(fi.Name(), // whose error is about the size
		&sftp.FileStat{Size: uint64(len(target)), Mode: linkToAll, Mtime: uint32(fi.ModTime().Unix())})
	return link
}
