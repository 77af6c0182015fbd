package syncfs

import (
	"time"

	contract "github.com/sftpsyncer/go-syncfs/cachefs/remote"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Some remotes describe a file for some seconds as it was before it was written: gateways that consist of several
// machines, or that cache attributes. There, an answer that contradicts what this client has just done is asked for
// again.

const (
	// staleFor bounds the time of these answers. Gateways are known that need 5 s.
	staleFor = 6 * time.Second
	// The pauses between two looks double, from the first to the longest.
	firstStalePause   = 10 * time.Millisecond
	longestStalePause = time.Second
)

// patiently returns the remote's answer about a name, once it is as expected. a is the first answer. If it is not as
// expected in time, patiently returns the last one. It does not wait where answers are never stale.
func (s *Fs) patiently(name string, a remote.Answer, expected func(remote.Answer) bool) (remote.Answer, error) {
	pause := firstStalePause
	for waited := time.Duration(0); waited < staleFor; {
		if a.Known == tree.Unknown || expected(a) || s.keepsContent() {
			return a, nil
		}
		if err := wait(s.m.Context(), pause); err != nil {
			return a, err
		}
		was := a
		if a = s.m.Remote().Ask(name); a.Known != was.Known || a.Meta != was.Meta {
			s.learned.stale.Store(true)
		}
		waited += pause
		pause = min(2*pause, longestStalePause)
	}
	return a, nil
}

// askAbout asks the remote about a name, whose base is b. If the remote is known to give stale answers, one that is in
// conflict with the base is not believed at once.
func (s *Fs) askAbout(name string, b base, removal bool) remote.Answer {
	return s.confirm(name, s.ask(name), b, removal)
}

// confirm is askAbout after a first answer.
func (s *Fs) confirm(name string, a remote.Answer, b base, removal bool) remote.Answer {
	if !s.learned.stale.Load() {
		return a
	}
	a, err := s.patiently(name, a, func(a remote.Answer) bool {
		return b.check(a, Fail, removal) == nil && (b.known != tree.Exists || a.Known == tree.Exists)
	})
	if err != nil {
		return remote.Answer{Err: err}
	}
	return a
}

// keepsTimes reports whether a file of the remote is known to keep its time when it is renamed.
func (s *Fs) keepsTimes() bool {
	k, ok := remote.Optional[contract.TimeKeeper](s.m.Remote())
	return ok && k.KeepsTimes()
}

// afterRename returns the version of a file that was renamed. moved is the version that it had before, size and hash are
// those of its content, nil if that is unknown, and replaced is what was at its new name. Some remotes give a renamed
// file a new time. The first time, the content shows that it is not the file of another client.
func (s *Fs) afterRename(name string, moved tree.Meta, size int64, hash *tree.Hash, replaced remote.Answer) tree.Meta {
	if s.keepsTimes() {
		return moved
	}
	ours := func(a remote.Answer) bool {
		switch {
		case a.Known != tree.Exists || a.Kind != tree.File || a.Meta.Size != moved.Size && a.Meta.Size != size:
			return false
		case a.Meta.MTime == moved.MTime || hash == nil || s.learned.renewsTimes.Load():
			return true
		}
		theirs, err := s.hashRemote(name, a.Meta)
		renewed := err == nil && theirs == *hash
		s.learned.renewsTimes.Store(renewed)
		return renewed
	}
	a := s.m.Remote().Ask(name)
	if s.learned.stale.Load() || a.Known == tree.Absent && !s.learned.picksUp.Load() {
		a, _ = s.patiently(name, a, func(a remote.Answer) bool { // the rename was made, whatever ends the wait
			return ours(a) && !(replaced.Known == tree.Exists && a.Meta.SameVersion(replaced.Meta))
		})
		s.learned.picksUp.Store(a.Known == tree.Absent)
	}
	if ours(a) {
		return a.Meta
	}
	return moved
}
