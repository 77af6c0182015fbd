package sftpfs

import (
	"errors"
	"io/fs"
	"path"
	"syscall"

	"github.com/pkg/sftp"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/invalid"
	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

// SymlinkIfPossible makes newname a symbolic link to oldname. A relative target is stored unchanged, an absolute one as
// the path below Config.Root that it stands for. On a server that makes relative targets absolute (mysecureshell), it fails
// for those with an error that matches errors.ErrUnsupported.
func (f *Fs) SymlinkIfPossible(oldname, newname string) error {
	p, err := clean(newname)
	if err == nil {
		_, err = clean(oldname)
	}
	order := SymlinkOrder(0)
	if err == nil {
		order, err = f.linkOrder(p)
	}
	if err == nil {
		err = run(f, once, func(r remote) error {
			err := r.keepingTarget(oldname, p, func() error { return r.symlink(oldname, p, order) })
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
func (r remote) symlink(target, p string, order SymlinkOrder) error {
	return r.sendSymlink(p, func(full string) error {
		if order == LinkFirst {
			return r.client.Symlink(full, r.target(target))
		}
		return r.client.Symlink(r.target(target), full)
	})
}

// sendSymlink sends a request to make a symbolic link p.
func (r remote) sendSymlink(p string, request func(full string) error) error {
	return r.learnt.unlessRefused(kindSymlink, func() error { return tell(r, p, request) })
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
func (r remote) lstatFollows() bool { return r.modSFTP }

// endsAsOpened reports whether the server is known to ask for the size of a file only when it opens it (fxp_handle_read),
// so that a handle does not read what is appended later.
func (r remote) endsAsOpened() bool { return r.modSFTP }

// lstatOtherwise is lstat on a server that refuses LSTAT with err. Only if READLINK shows that p is not a symbolic link,
// STAT describes p.
func (r remote) lstatOtherwise(p string, err error) (fs.FileInfo, error) {
	target, linkErr := r.readAnyLink(p) // a refusal is about p, as that of LSTAT
	switch {
	case linkErr == nil:
		return linkInfo(path.Base(p), target, 0), nil
	case errors.Is(linkErr, fs.ErrPermission):
		return nil, err
	}
	return r.stat(p)
}

// unfollowed returns the attributes of p itself. fi is what the server states, which may describe the target of p.
func (r remote) unfollowed(p string, fi fs.FileInfo) fs.FileInfo {
	if fi.Mode()&fs.ModeSymlink != 0 {
		return fi
	}
	target, err := r.readAnyLink(p) // what was refused for another name says nothing about this one
	if err != nil {
		return fi
	}
	return linkInfo(fi.Name(), target, fi.ModTime().Unix())
}

func linkInfo(name, target string, mtime int64) fs.FileInfo {
	const linkToAll = 0o120777    // the mode of a symbolic link
	link, _ := wire.NewInfo(name, // fails only for an impossible size
		&sftp.FileStat{Size: uint64(len(target)), Mode: linkToAll, Mtime: uint32(mtime)})
	return link
}
