package sftpfs

import (
	"errors"
	"io/fs"
)

// minFileLimit is how many open files every server allows on a channel. The lowest limit seen is 20, of SFTPGo.
const minFileLimit = 16

// withFileLimit runs op, which opens a file on the server. Servers report too many open files in the same way as a
// refusal to open this file, but most of them count per channel. If op is refused while many files are open on r,
// withFileLimit tries other sessions. If one of them opens the file, it records the limit of r.
func withFileLimit[T any](f *Fs, r remote, op func(remote) (T, error)) (T, error) {
	open := r.files.Load()
	v, err := op(r)
	if !maybeAtLimit(open, err) {
		return v, err
	}
	tried := &taken{sessions: []*session{r.session}}
	for {
		s := f.conns.another(r.ctx, tried)
		if s == nil {
			return v, err
		}
		others := s.files.Load()
		v2, err2 := op(remote{session: s, ctx: r.ctx})
		s.release()
		if err2 == nil {
			r.limit.Store(open)
			return v2, nil
		}
		if !maybeAtLimit(others, err2) {
			return v, err
		}
	}
}

// maybeAtLimit reports whether err may mean that too many files are open, on a session with so many open files.
func maybeAtLimit(open int64, err error) bool {
	return open >= minFileLimit && (refused(err) || errors.Is(err, fs.ErrPermission))
}
