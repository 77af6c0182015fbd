package syncfs

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// errNotVerified: a content that was read back from the remote is not what was sent.
var errNotVerified = errors.New("what arrived is not what was sent")

// uploaded is a content that is complete on the remote, under a temporary name.
type uploaded struct {
	temp string
	meta tree.Meta
	hash tree.Hash
}

// upload sends a content to its temporary file, and checks what arrived. target is the remote's last answer about the
// final name.
func (s *Fs) upload(step tree.Step, c content, p *part, r *Result) (u uploaded, target remote.Answer, err error) {
	u.temp, r.Resumed = p.path, p.from
	a, target, err := s.stage(step, c, p, r, &u.hash)
	if errors.Is(err, errNotStaged) {
		a, target, err = s.sendAndLook(step, c, p, r, &u.hash)
	}
	if err != nil {
		return u, target, err
	}
	a, err = s.patiently(p.path, a, func(a remote.Answer) bool { return s.whole(a, c) })
	if err != nil {
		return u, target, err
	}
	c.setApart(s.now(), target.Meta)
	if differs(a, c) {
		if err := s.correct(c, p.path, a, r); err != nil {
			return u, target, err
		}
		a, target = s.askBoth(p.path, step.Path)
		a, err = s.patiently(p.path, a, func(a remote.Answer) bool {
			return s.whole(a, c) && !(s.learned.stale.Load() && r.Refused == nil && differs(a, c))
		})
		if err != nil {
			return u, target, err
		}
	}
	switch {
	case a.Known == tree.Absent:
		return u, target, s.vanished(p.path, a.Err)
	case a.Known == tree.Unknown:
		return u, target, advised(a.Err, p.path+" can't be checked", "Publish")
	}
	u.meta = a.Meta
	read, err := s.checkArrived(p.path, a.Meta, c, u.hash, p.from > 0 && !s.keepsContent())
	if err == nil && read {
		target = s.m.Remote().Ask(step.Path)
	}
	return u, target, err
}

// checkArrived checks the length of an upload that the remote describes as a. It reads the upload back and compares it
// if the options say so, if doubted is set, or if the remote does not state a size.
func (s *Fs) checkArrived(name string, a tree.Meta, c content, hash tree.Hash, doubted bool) (read bool, err error) {
	unstated := a.Size == 0 && c.stamp.Size > 0 // or nothing has arrived
	if a.Size != c.stamp.Size && !unstated {
		return false, fmt.Errorf("%w: %d of %d bytes arrived", io.ErrShortWrite, a.Size, c.stamp.Size)
	}
	if !s.verify && !unstated && !doubted {
		return false, nil
	}
	theirs, err := s.hashRemote(name, a)
	if err == nil && theirs != hash {
		err = errNotVerified
	}
	return true, err
}

// sendAndLook sends a content, and asks about its temporary file and the target.
func (s *Fs) sendAndLook(step tree.Step, c content, p *part, r *Result, sum *tree.Hash) (a, target remote.Answer, err error) {
	local, err := s.openContent(c)
	if err != nil {
		return a, target, err
	}
	defer local.Close()
	dst, err := s.send(local, c, p, r, sum)
	if err == nil {
		err = s.finish(dst, c, p.path, r)
	}
	if err != nil {
		return a, target, err
	}
	s.both(
		func() { a, target = s.askBoth(p.path, step.Path) },
		func() { err = s.lasting(local, c.path) })
	return a, target, err
}

// whole reports whether an answer describes all of a content that was sent. A size of 0 may be one that is not stated,
// unless the remote is known to give stale answers.
func (s *Fs) whole(a remote.Answer, c content) bool {
	return a.Known == tree.Exists &&
		(a.Meta.Size == c.stamp.Size || a.Meta.Size == 0 && !s.learned.stale.Load())
}

// vanished returns an error for a temporary file that is gone after it was closed. If its directory is gone, too, the
// error is missing.
func (s *Fs) vanished(temp string, missing error) error {
	dir, _ := tree.Split(temp)
	switch a := s.m.Remote().AskFollowing(dir); a.Known {
	case tree.Absent:
		return fmt.Errorf("temporary file: %w", missing)
	case tree.Unknown:
		return a.Err
	}
	if s.takenLate(temp) {
		return errOvertaken
	}
	s.learned.takes.Store(true)
	return fmt.Errorf("%w, here %s", errTaken, temp)
}

// errTaken: the remote takes a file as soon as that is closed, under whatever name.
var errTaken = errors.New("the server takes each file when it is closed, also under a temporary name: set " +
	"syncfs.Options.Publish to PublishDirect")

// advised adds what may be wrong, and the option that helps, to a refusal.
func advised(err error, what, option string) error {
	if !refused(err) {
		return err
	}
	return fmt.Errorf("%w (%s: see syncfs.Options.%s)", err, what, option)
}

// askBoth asks the remote about two names in one round trip.
func (s *Fs) askBoth(first, then string) (a, b remote.Answer) {
	s.both(func() { a = s.m.Remote().Ask(first) }, func() { b = s.m.Remote().Ask(then) })
	return a, b
}

// both calls two functions at once, or one after the other if the options allow only one transfer at a time.
func (s *Fs) both(first, then func()) {
	if s.m.Limits().Capacity() == 1 {
		first()
		then()
		return
	}
	var running sync.WaitGroup
	running.Go(then)
	first()
	running.Wait()
}

// send sends the bytes that have not arrived yet, and hashes all bytes. It leaves the file open unless it fails.
func (s *Fs) send(local io.ReaderAt, c content, p *part, r *Result, sum *tree.Hash) (dst afero.File, err error) {
	flag := os.O_WRONLY
	if p.from == 0 {
		flag |= os.O_CREATE | os.O_TRUNC
	}
	dst, err = s.m.Remote().Fs().OpenFile(s.m.Remote().Name(p.path), flag, modeMeanwhile(c.shown.Mode))
	if err != nil {
		return nil, s.notOpened(p, remote.Error(err))
	}
	if p.direct() {
		inOrder(dst)
	}
	if p.from > 0 {
		if err := s.goOn(dst, p); err != nil {
			_ = dst.Close()
			return nil, err
		}
	}
	src := &source{ctx: s.m.Context(), f: local, off: p.from, size: c.stamp.Size, hash: p.hash, like: p.like, block: s.block}
	w, arrived := target(dst)
	at := src.seen.Load
	if arrived != nil {
		at = func() int64 { return p.from + arrived() }
	}
	if arrived != nil && !p.direct() {
		src.arrived = at
		src.proven = func(m mark) {
			s.noteArrival(p, m)
			r.advanced = true
		}
	}
	defer s.meter.Begin(c.path, c.stamp.Size, at).End()
	r.Bytes, err = io.Copy(w, src)
	if err == nil && s.syncRemote {
		err = syncRemote(dst, r)
	}
	switch {
	case src.err != nil && src.err != io.EOF:
		err = src.err // a local error
	case err != nil:
		err = remote.Error(err)
	case src.off != c.stamp.Size:
		err = errShorter
	}
	if err != nil {
		_ = dst.Close()
		src.prove()
	}
	*sum = src.sum()
	return dst, err
}

// notOpened explains why an upload could not be opened.
func (s *Fs) notOpened(p *part, err error) error {
	switch {
	case p.direct():
		return err
	case forbidden(err):
		return advised(err, "temporary file "+p.path, "TempName")
	case remote.Absent(err) && p.from == 0:
		return s.missingDir(p, err)
	}
	return err
}

// goOn moves to the first byte that has not arrived yet. If opening the file has visibly emptied it, the rest is not
// sent in vain. Only a check after the last byte proves that the content was kept.
func (s *Fs) goOn(dst afero.File, p *part) error {
	if !s.keepsContent() {
		switch a := s.m.Remote().Ask(p.path); {
		case a.Known != tree.Exists:
			return a.Err
		case a.Meta.Size < p.from:
			return errNotVerified
		}
	}
	_, err := dst.Seek(p.from, io.SeekStart)
	return remote.Error(err)
}

// modeMeanwhile returns the mode of a temporary file until its content is complete. A file that others may read is made
// with the mode that servers give new files, which needs no request of its own.
func modeMeanwhile(mode fs.FileMode) fs.FileMode {
	if mode.Perm()&0o044 == 0o044 {
		return 0o666
	}
	return mode.Perm() | 0o600
}

// hashRemote returns the hash of a file of the remote; seen is the version that was seen last.
func (s *Fs) hashRemote(path string, seen tree.Meta) (sum tree.Hash, err error) {
	f, err := s.m.Remote().OpenVersion(path, seen)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum, remote.Error(err)
	}
	h.Sum(sum[:0])
	return sum, nil
}

// lasting syncs the local bytes of a file: after a loss of power, older ones would pass for an edit of what was sent.
// The file is open for reading, which is not enough on Windows.
func (s *Fs) lasting(local interface{ Sync() error }, name string) error {
	if err := local.Sync(); !errors.Is(err, fs.ErrPermission) {
		return err
	}
	f, err := s.m.Local().OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
