package sftpfs

import (
	"errors"
	"fmt"
	"path"
)

// keepingTarget runs make, which makes a symbolic link p to a target. The first relative target is read back, because some
// servers make it absolute (mysecureshell), after which the symbolic link leads elsewhere when it is moved. It is removed
// then, and no other is made. Two servers are known to keep it, and not asked: OpenSSH's own, and ProFTPD, whose READLINK
// shows any target as an absolute path.
func (r remote) keepingTarget(target, p string, make func() error) error {
	if path.IsAbs(target) {
		return make()
	}
	if err := r.learnt.refusal(kindRelativeSymlink); err != nil {
		return err
	}
	err := make()
	if err != nil || r.learnt.isKnown(kindRelativeSymlink) || r.modSFTP || r.isOpenSSH() {
		return err
	}
	got, err := r.readAnyLink(p)
	switch {
	case errors.Is(err, ErrUnavailable):
		return nil
	case err == nil && path.IsAbs(got):
		err = fmt.Errorf("%w: the server makes the target absolute: %s", errors.ErrUnsupported, printable(got, maxCause))
		_ = r.removeFile(p)
	default:
		err = nil
	}
	r.learnt.note(kindRelativeSymlink, err)
	return err
}
