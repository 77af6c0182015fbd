package sftpfs

import (
	"context"
	"errors"
	"io/fs"
)

// minFileLimit is how many open files a server allows on a channel if it does not count them over all channels. The
// lowest such limit seen is 20, of SFTPGo.
const minFileLimit = 16

// withFileLimit is call for an op that opens a file, or opens and closes a directory. It copes with a server that allows
// few open files.
func withFileLimit[T any](f *Fs, e effect, op func(remote) (T, error), late func(T)) (T, error) {
	return inTurn(f.ctx, f.learnt, func() (T, error) {
		return call(f, e, func(r remote) (T, error) { return overChannels(f, r, op) }, late)
	})
}

// inTurn runs op when the server is not known to refuse it because of the files that are open. If the server does so for
// the first time, inTurn runs op again later. OpenSSH's server states how many it allows, which are many.
func inTurn[T any](ctx context.Context, l *learnt, op func() (T, error)) (v T, err error) {
	for waited := false; !l.openSSH.Load(); waited = true {
		t, terr := l.files.begin(ctx)
		if terr != nil {
			return v, terr
		}
		v, err = op()
		_, lists := any(v).([]fs.FileInfo)
		l.files.answer(t, err == nil && lists)
		again := declined(err) && l.files.refusedFor(ctx, t)
		l.files.end(t, err == nil && waited)
		if !again {
			return v, err
		}
	}
	return op()
}

// overChannels runs op, which opens a file on the server. Servers report too many open files in the same way as a
// refusal to open this file, but most of them count per channel. If op is refused while many files are open on r,
// overChannels tries other sessions. If one of them opens the file, it records the limit of r.
func overChannels[T any](f *Fs, r remote, op func(remote) (T, error)) (T, error) {
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
