package sftpfs

import (
	"errors"
	"io/fs"
)

// fewFiles is how many open files every server allows. SFTPGo's 20 is the lowest limit seen.
const fewFiles = 16

// withRoom runs op, which has the server open something, on r. Servers say that there are too many open files in the
// same words as that they won't open this one, but most count for each channel: so what is refused where many are open
// is tried where fewer are, and the limit learnt if it goes there.
func withRoom[T any](f *Fs, r remote, op func(remote) (T, error)) (T, error) {
	open := r.files.Load()
	v, err := op(r)
	if !maybeFull(open, err) {
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
		if !maybeFull(others, err2) {
			return v, err
		}
	}
}

// maybeFull tells whether err may mean that there are too many open files where there are that many.
func maybeFull(open int64, err error) bool {
	return open >= fewFiles && (refused(err) || errors.Is(err, fs.ErrPermission))
}
