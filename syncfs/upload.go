package syncfs

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// errNotVerified says that a content read back from the remote is not what was sent.
var errNotVerified = errors.New("what arrived is not what was sent")

// uploaded is a content that lies under a temporary name on the remote, whole.
type uploaded struct {
	temp string
	meta tree.Meta
	hash tree.Hash
}

// upload sends a content to its temporary file, and checks what arrived.
func (s *Fs) upload(c content, p *part, r *Result) (uploaded, error) {
	u := uploaded{temp: p.path}
	var err error
	if u.hash, err = s.send(c, p, r); err != nil {
		return u, err
	}
	if err := s.finish(c, p.path, r); err != nil {
		return u, err
	}
	a := s.m.Ask(p.path)
	if a.Known != tree.Exists {
		return u, fmt.Errorf("temporary file: %w", a.Err)
	}
	if u.meta = a.Meta; a.Meta.Size != c.stamp.Size {
		return u, fmt.Errorf("%w: %d of %d bytes arrived", io.ErrShortWrite, a.Meta.Size, c.stamp.Size)
	}
	if s.verify {
		theirs, err := s.hashRemote(p.path)
		if err == nil && theirs != u.hash {
			err = errNotVerified
		}
		if err != nil {
			return u, err
		}
	}
	return u, s.lasting(c.path)
}

// send sends the bytes that have not arrived yet, and returns the hash of all.
func (s *Fs) send(c content, p *part, r *Result) (sum tree.Hash, err error) {
	local, err := s.m.Local().OpenFile(c.path, os.O_RDONLY, 0)
	if err != nil {
		return sum, err
	}
	defer local.Close()
	flag := os.O_WRONLY
	if p.from == 0 {
		flag |= os.O_CREATE | os.O_TRUNC
	}
	mode := c.shown.Mode.Perm() | 0o600 // until it is finished
	dst, err := s.m.RemoteFs().OpenFile(s.m.RemoteName(p.path), flag, mode)
	if err != nil {
		return sum, mirror.Remote(err)
	}
	src := &source{ctx: s.m.Context(), f: local, off: p.from, size: c.stamp.Size, hash: p.hash, block: s.block}
	w, arrived := target(dst)
	at := src.seen.Load
	if arrived != nil {
		at = func() int64 { return p.from + arrived() }
		src.arrived = at
		src.proven = func(m mark) {
			s.noteArrival(p, m)
			r.advanced = true
		}
	}
	defer s.meter.Begin(c.path, c.stamp.Size, at).End()
	if p.from > 0 {
		_, err = dst.Seek(p.from, io.SeekStart)
	}
	if err == nil {
		r.Resumed = p.from
		r.Bytes, err = io.Copy(w, src)
	}
	if err == nil && s.syncRemote {
		err = syncRemote(dst, r)
	}
	if closeErr := dst.Close(); err == nil {
		err = closeErr
	}
	switch {
	case src.err != nil && src.err != io.EOF:
		err = src.err // of this side
	case err != nil:
		err = mirror.Remote(err)
	case src.off != c.stamp.Size:
		err = fmt.Errorf("%w: it is shorter than it was", ErrBusy)
	}
	if err != nil {
		src.prove()
	}
	return src.sum(), err
}

// syncRemote syncs an upload to the remote's disk, if the remote can do that.
func syncRemote(f interface{ Sync() error }, r *Result) error {
	err := f.Sync()
	if err == nil {
		r.Synced = true
	}
	if fatal(mirror.Remote(err)) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}

// finish gives the temporary file owner, mode and time. A remote that refuses does not fail a good upload.
func (s *Fs) finish(c content, temp string, r *Result) error {
	attr := c.attr
	if attr.Set&tree.AttrTimes == 0 {
		attr.ATime, attr.MTime = c.shown.MTime, c.shown.MTime
	}
	attr.Set |= tree.AttrTimes | tree.AttrMode
	attr.Mode = c.shown.Mode & (os.ModePerm | os.ModeSetuid | os.ModeSetgid | os.ModeSticky)
	for _, bit := range []tree.AttrMask{tree.AttrMode, tree.AttrOwner, tree.AttrTimes} {
		one := attr
		one.Set &= bit
		if err := s.setAttrs(temp, one); fatal(err) {
			return err
		} else if err != nil {
			r.Refused = errors.Join(r.Refused, fmt.Errorf("%s: %w", attrNames[bit], err))
		}
	}
	return nil
}

var attrNames = map[tree.AttrMask]string{tree.AttrMode: "mode", tree.AttrOwner: "owner", tree.AttrTimes: "times"}

// hashRemote reads a file of the remote.
func (s *Fs) hashRemote(path string) (sum tree.Hash, err error) {
	f, err := s.m.RemoteFs().Open(s.m.RemoteName(path))
	if err != nil {
		return sum, mirror.Remote(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum, mirror.Remote(err)
	}
	h.Sum(sum[:0])
	return sum, nil
}

// lasting makes the local bytes of a file survive the loss of power: older ones would pass for an edit of what was
// sent.
func (s *Fs) lasting(name string) error {
	f, err := s.m.Local().OpenFile(name, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrPermission) {
		f, err = s.m.Local().OpenFile(name, os.O_RDONLY, 0)
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
