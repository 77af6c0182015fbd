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

// SymlinkIfPossible makes newname a symbolic link to oldname. A relative target is stored unchanged, an absolute one as
// the path below Config.Root that it stands for.
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

// symlink sends the two paths in the order in which the server reads them. Most servers read them in OpenSSH's order,
// which is not that of the draft. In the wrong order, the symbolic link would be made at the target, which may be
// anywhere.
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

// The orders in which a server reads the paths of a symbolic link. 0: unknown.
const (
	opensshOrder = 1 + iota
	draftOrder
)

// linkOrderOf returns the order of a server that identifies itself, 0 for others. Servers built with pkg/sftp have the
// version of x/crypto.
func linkOrderOf(version string) int {
	switch {
	case strings.Contains(version, "OpenSSH"), version == "SSH-2.0-Go":
		return opensshOrder
	case strings.Contains(version, "AsyncSSH"): // which uses the draft's order for clients other than OpenSSH
		return draftOrder
	}
	return 0
}

// linkOrder returns the order in which the server reads the paths. If the server is unknown, linkOrder makes a symbolic
// link between two new names in dir and looks which of them exists; that does no harm. If the connection is lost
// meanwhile, the symbolic link may stay.
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

// ReadlinkIfPossible returns the target of a symbolic link. A relative target is returned as it is stored, an absolute
// one below Config.Root as it is seen from there. It fails with fs.ErrInvalid if name is not a symbolic link.
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

// lstatFollows reports whether the server is known to follow a symbolic link even in LSTAT, if its target exists.
func (r remote) lstatFollows() bool {
	return r.conn.ssh != nil && strings.Contains(string(r.conn.ssh.ServerVersion()), "mod_sftp")
}

// unfollowed returns the attributes of p itself. fi is what the server states, which may describe the target of p.
func (r remote) unfollowed(p string, fi fs.FileInfo) fs.FileInfo {
	if fi.Mode()&fs.ModeSymlink != 0 {
		return fi
	}
	target, err := r.readlink(p)
	if err != nil {
		return fi
	}
	const linkToAll = 0o120777         // the mode of a symbolic link
	link, _ := wire.NewInfo(fi.Name(), // fails only for an impossible size
		&sftp.FileStat{Size: uint64(len(target)), Mode: linkToAll, Mtime: uint32(fi.ModTime().Unix())})
	return link
}
