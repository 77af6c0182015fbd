package sftpfs

import (
	"io/fs"
	"path"
	"time"

	"github.com/pkg/sftp"
)

// Stage makes a new small file that is to be renamed over target: with its content, mode and times. It returns what it
// is then, and what is at the target at that time; nil is nothing. It takes one round trip or two, and works only where the
// server is known to carry requests out in their order. An error that matches errors.ErrUnsupported means only that it has
// to be done in another way; the file may be there in part then.
func (f *Fs) Stage(name string, content []byte, mode fs.FileMode, atime, mtime time.Time, target string) (
	staged, there fs.FileInfo, err error) {
	type look struct{ staged, there fs.FileInfo }
	p, err := clean(name)
	q := ""
	if err == nil {
		q, err = clean(target)
	}
	if err == nil && (!fits(atime) || !fits(mtime)) {
		err = errNoShortCut
	}
	if err != nil {
		return nil, nil, pathError("open", name, err)
	}
	l, err := call(f, once, func(r remote) (l look, err error) {
		if f.learnt.is(&f.learnt.refusesAttributes) {
			return l, errNoShortCut
		}
		stat := &sftp.FileStat{Mode: posixMode(mode), Atime: uint32(atime.Unix()), Mtime: uint32(mtime.Unix())}
		l.staged, l.there, err = f.stage(r, p, content, stat, q)
		return l, err
	}, nil)
	return l.staged, l.there, pathError("open", name, err)
}

func (f *Fs) stage(r remote, p string, content []byte, want *sftp.FileStat, target string) (
	staged, there fs.FileInfo, err error) {
	var requests []message
	for off := 0; off < len(content); off += packet {
		piece := content[off:min(off+packet, len(content))]
		requests = append(requests,
			message{packetWrite, body{}.uint64(uint64(off)).uint32(uint32(len(piece))), true, piece})
	}
	writes := len(requests)
	requests = append(requests,
		message{kind: packetFsetstat, body: body{}.uint32(attrPermissions | attrTimes).
			uint32(want.Mode).uint32(want.Atime).uint32(want.Mtime), ofOpened: true},
		message{kind: packetFstat, ofOpened: true},
		message{kind: packetLstat, body: body{}.string(r.on(target))})
	replies, err := r.use(packetOpen, p, body{}.uint32(openWrite|openCreate|openExcl).
		uint32(attrPermissions).uint32(want.Mode|0o600), requests...)
	if err != nil {
		return nil, nil, err
	}
	for _, written := range replies[:writes] {
		if err := written.done(); err != nil {
			return nil, nil, err
		}
	}
	if err := replies[writes].done(); err != nil {
		f.learnt.note(&f.learnt.refusesAttributes)
		return nil, nil, err
	}
	if staged, err = replies[writes+1].info(path.Base(p)); err != nil {
		return nil, nil, err
	}
	if code, ok := replies[writes+2].status(); ok && code == statusNoSuchFile {
		return staged, nil, nil
	}
	if there, err = replies[writes+2].info(path.Base(target)); err != nil {
		return nil, nil, err
	}
	return staged, there, nil
}

// posixMode returns a mode as SFTP has it.
func posixMode(mode fs.FileMode) uint32 {
	bits := uint32(mode.Perm())
	for flag, bit := range map[fs.FileMode]uint32{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if mode&flag != 0 {
			bits |= bit
		}
	}
	return bits
}
