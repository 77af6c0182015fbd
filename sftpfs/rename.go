package sftpfs

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path"
	"syscall"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/invalid"
	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

// Rename is like os.Rename: it replaces an existing file atomically, and refuses an existing directory. If the server
// cannot replace a file, Rename refuses an existing file, too, with fs.ErrExist, unless Config.AllowNonAtomicReplace is
// set.
func (f *Fs) Rename(oldname, newname string) error { return f.rename(oldname, newname, f.move) }

// ReplaceFile is Rename for a file; oldname must not be a directory. If the server replaces atomically, it saves the
// round trip with which Rename protects an empty directory from being replaced, because a file does not replace a
// directory.
func (f *Fs) ReplaceFile(oldname, newname string) error {
	return f.rename(oldname, newname, f.moveFile)
}

func (f *Fs) rename(oldname, newname string, move func(r remote, oldp, newp string) error) error {
	oldp, err := clean(oldname)
	if err != nil {
		return linkError("rename", oldname, newname, err)
	}
	newp, err := clean(newname)
	if err == nil {
		err = run(f, once, func(r remote) error {
			if err := f.learnt.refusal(kindRename); err != nil {
				return err
			}
			err := move(r, oldp, newp)
			if errors.Is(err, errors.ErrUnsupported) && r.isSimple(oldp, newp) {
				f.learnt.note(kindRename, err)
			}
			return err
		})
	}
	return linkError("rename", oldname, newname, err)
}

// moveFile looks at the target only if the server refuses.
func (f *Fs) moveFile(r remote, oldp, newp string) error {
	if f.learnt.replacesAtomically(r.session) {
		err := r.sendRename(kindPosixRename, oldp, newp)
		if !refused(err) && !missing(err) && !errors.Is(err, fs.ErrExist) && !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	return f.move(r, oldp, newp)
}

// move looks at the target first, because posix-rename replaces an empty directory, and package os does not.
func (f *Fs) move(r remote, oldp, newp string) error {
	target, err := r.lstat(newp)
	switch {
	case err != nil && !missing(err):
		return err
	case err == nil && target.IsDir():
		if _, err := r.lstat(oldp); err != nil {
			return err
		}
		return syscall.EEXIST
	case err == nil && oldp == newp:
		return nil
	}
	err = r.rename(oldp, newp)
	if err == nil && target != nil {
		f.learnt.noteReplaced()
	}
	if !refused(err) && !missing(err) && !errors.Is(err, fs.ErrExist) {
		return err
	}
	source, lerr := r.lstat(oldp)
	if lerr != nil {
		return lerr
	}
	err = whyNotMoved(oldp, newp, source, target, err)
	if errors.Is(err, fs.ErrExist) && target != nil && f.asideAllowed {
		return r.moveOver(oldp, newp)
	}
	return err
}

// rename replaces newp if the server offers to do so atomically, and does not refuse.
func (r remote) rename(oldp, newp string) error {
	if !r.learnt.replacesAtomically(r.session) {
		return r.sendRename(kindRename, oldp, newp)
	}
	err := r.sendRename(kindPosixRename, oldp, newp)
	unsupported := errors.Is(err, errors.ErrUnsupported)
	if !unsupported && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	plain := r.sendRename(kindRename, oldp, newp)
	if plain == nil || unsupported && !errors.Is(plain, errors.ErrUnsupported) && !errors.Is(plain, ErrUnavailable) {
		r.learnt.note(kindPosixRename, err) // although the server offers it
	}
	if plain == nil || unsupported || refused(plain) { // newp may exist
		return plain
	}
	return err
}

func (r remote) sendRename(kind requestKind, oldp, newp string) error {
	request := r.client.Rename
	if kind == kindPosixRename {
		request = r.client.PosixRename
	}
	err := tell(r, newp, func(full string) error { return request(r.on(oldp), full) })
	if err == nil {
		r.learnt.note(kind, nil)
		r.learnt.note(kindRename, nil)
	}
	return err
}

// replacesAtomically reports whether a rename on s replaces a file in one step.
func (l *learnt) replacesAtomically(s *session) bool {
	return s.offers(wire.ExtensionPosixRename) && l.refusal(kindPosixRename) == nil && l.refusal(kindRename) == nil
}

// isSimple reports whether a rename is one that no server refuses as unsupported that can rename at all: that of a file
// within its directory. Some cannot rename directories, others cannot move from one store to another.
func (r remote) isSimple(oldp, newp string) bool {
	if path.Dir(oldp) != path.Dir(newp) {
		return false
	}
	fi, err := r.lstat(oldp)
	return err == nil && fi.Mode().IsRegular()
}

// moveOver moves newp aside and oldp to newp, and then removes the old file.
func (r remote) moveOver(oldp, newp string) error {
	aside := path.Join(path.Dir(newp), fmt.Sprintf(".sftpfs-%016x.old", rand.Uint64()))
	if err := r.rename(newp, aside); err != nil {
		return err
	}
	if err := r.rename(oldp, newp); err != nil {
		if back := r.rename(aside, newp); back != nil {
			return fmt.Errorf("%w; what was there is at %s: %v", err, aside, back)
		}
		return err
	}
	if err := r.removeFile(aside); err != nil {
		return fmt.Errorf("%w; the file is replaced, but the old one is left at %s", err, aside)
	}
	return nil
}

// whyNotMoved explains a refused rename by what exists. target is nil if there is none. OpenSSH answers NO_SUCH_FILE
// for a directory that would replace a file, and FAILURE for one that would move into itself.
func whyNotMoved(oldp, newp string, source, target fs.FileInfo, err error) error {
	switch {
	case target != nil && source.IsDir():
		return syscall.ENOTDIR
	case missing(err): // the target's parent
		return err
	case target != nil:
		return syscall.EEXIST
	case source.IsDir() && inside(newp, oldp):
		return invalid.Argument
	}
	return err
}
