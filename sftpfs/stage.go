package sftpfs

import (
	"io/fs"
	"path"
	"time"

	"github.com/pkg/sftp"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

// Stage makes a new small file with the given content, mode (less the server's umask) and times, which the caller then
// renames over target. The file can be read and written by its owner. Stage returns the attributes of the new file, and
// those of target at that time, nil if there is none. It takes one round trip or two, and works only if the server is
// known to process requests in order. An error that matches errors.ErrUnsupported means only that the caller has to do
// this in another way; a part of the file may exist then.
func (f *Fs) Stage(name string, content []byte, mode fs.FileMode, atime, mtime time.Time, target string) (
	staged, there fs.FileInfo, err error) {
	type look struct{ staged, there fs.FileInfo }
	p, err := clean(name)
	q := ""
	if err == nil {
		q, err = clean(target)
	}
	if err == nil && (!fits(atime) || !fits(mtime)) {
		err = errNotPipelined
	}
	if err != nil {
		return nil, nil, pathError("open", name, err)
	}
	l, err := call(f, once, func(r remote) (l look, err error) {
		if f.learnt.refusal(kindFsetstatTimes) != nil {
			return l, errNotPipelined
		}
		stat := &sftp.FileStat{Mode: posixMode(mode), Atime: uint32(atime.Unix()), Mtime: uint32(mtime.Unix())}
		l.staged, l.there, err = f.stage(r, p, content, stat, q)
		return l, err
	}, nil)
	return l.staged, l.there, pathError("open", name, err)
}

func (f *Fs) stage(r remote, p string, content []byte, want *sftp.FileStat, target string) (
	staged, there fs.FileInfo, err error) {
	if err := r.canPipeline(r.inOrder); err != nil {
		return nil, nil, err
	}
	var requests []wire.Request
	for off := 0; off < len(content); off += packet {
		requests = append(requests, wire.WriteAt(uint64(off), content[off:min(off+packet, len(content))]))
	}
	writes := len(requests)
	requests = append(requests, wire.SetTimes(want.Atime, want.Mtime), wire.Fstat(), wire.Lstat(r.on(target)))
	replies, closed, err := r.use(wire.OpenNew(r.on(p), want.Mode|0o600), requests...)
	if err != nil {
		return nil, nil, err
	}
	for _, written := range replies[:writes] {
		if err := written.Done(); err != nil {
			return nil, nil, err
		}
	}
	f.learnt.noteOfNew(kindFsetstatTimes, r.reduce(replies[writes].Refusal()))
	if err = replies[writes].Done(); err != nil {
		return nil, nil, err
	}
	if err = closed.Done(); err != nil { // the content may not have arrived, or the times are the reason
		return nil, nil, err
	}
	if staged, err = replies[writes+1].Info(path.Base(p)); err != nil {
		return nil, nil, err
	}
	if replies[writes+2].Is(wire.StatusNoSuchFile) {
		return staged, nil, nil
	}
	if there, err = replies[writes+2].Info(path.Base(target)); err != nil {
		return nil, nil, err
	}
	return staged, there, nil
}

// posixMode returns mode in SFTP's encoding.
func posixMode(mode fs.FileMode) uint32 {
	bits := uint32(mode.Perm())
	for flag, bit := range map[fs.FileMode]uint32{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if mode&flag != 0 {
			bits |= bit
		}
	}
	return bits
}
