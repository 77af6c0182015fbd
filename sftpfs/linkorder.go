package sftpfs

import (
	"fmt"
	"math/rand/v2"
	"path"
)

// extensionLinkOrder announces the order. gesftpserver has it.
const extensionLinkOrder = "symlink-order@rjk.greenend.org.uk"

// linkOrder returns the order in which the server reads the paths of the symbolic link p. What a server says of itself
// in its SSH version does not count, because it may come from an sshd that runs another server as its subsystem.
func (f *Fs) linkOrder(p string) (SymlinkOrder, error) {
	order := f.learnt.linkOrder()
	if order != 0 {
		return order, nil
	}
	order, err := call(f, harmless, func(r remote) (SymlinkOrder, error) { return r.statedLinkOrder(), nil }, nil)
	for _, prefix := range []string{".sftpfs-", "sftpfs-"} { // some servers refuse names that begin with a dot
		if order != 0 || err != nil && !declined(err) {
			break
		}
		trial := linkTrial{prefix: path.Join(path.Dir(p), fmt.Sprintf("%s%016x", prefix, rand.Uint64())), suffix: path.Ext(p)}
		order, err = call(f, repeat, trial.run, nil)
	}
	if err == nil {
		f.learnt.noteLinkOrder(order)
	}
	return order, err
}

// statedLinkOrder returns the order that the server announces, or that OpenSSH's own server has; otherwise 0.
func (r remote) statedLinkOrder() SymlinkOrder {
	switch r.announced(extensionLinkOrder) {
	case "targetpath-linkpath":
		return TargetFirst
	case "linkpath-targetpath":
		return LinkFirst
	}
	if r.isOpenSSH() {
		return TargetFirst
	}
	return 0
}

// A linkTrial makes a symbolic link between two new names, and removes it again, which shows which of them it has. If the
// server removes nothing, the symbolic link stays.
type linkTrial struct {
	prefix, suffix string
	again          bool // the connection was lost in the first run, which may have made the symbolic link
}

func (l *linkTrial) run(r remote) (SymlinkOrder, error) {
	target, link := l.prefix+"-target"+l.suffix, l.prefix+"-link"+l.suffix
	err := r.sendSymlink(link, func(full string) error { return r.client.Symlink(r.on(target), full) })
	again := l.again
	l.again = true
	if err != nil && !(again && refused(err)) {
		return 0, err
	}
	if err = r.removeFile(link); err == nil {
		return TargetFirst, nil
	}
	if missing(err) {
		if err = r.removeFile(target); err == nil {
			return LinkFirst, nil
		}
	}
	if !declined(err) {
		return 0, err
	}
	if _, err := r.readlink(link); err == nil {
		return TargetFirst, nil
	}
	if _, err := r.readlink(target); err == nil {
		return LinkFirst, nil
	}
	return 0, fmt.Errorf("%w; a symbolic link of unknown order is left at %s or %s", err, link, target)
}
