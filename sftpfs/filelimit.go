package sftpfs

import (
	"errors"
	"io/fs"
)

// minFileLimit is how many open files every server allows on a channel. SFTPGo's 20 is the lowest limit seen.
const minFileLimit = 16

// withFileLimit runs op, which opens a file on the server, on r. Servers say that there are too many open files in the
// same words as that they won't open this one, but most count for each channel: so what is refused where many are open
// is tried where fewer are, and the limit learnt if it goes there.
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

// maybeAtLimit tells whether err may mean that there are too many open files on a session that has that many.
func maybeAtLimit(open int64, err error) bool {
	return open >= minFileLimit && (refused(err) || errors.Is(err, fs.ErrPermission))
}
