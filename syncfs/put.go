package syncfs

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// content is the state of a changed file that is being sent.
type content struct {
	path       string // in the local directory
	stamp      tree.Stamp
	generation uint64
	attr       tree.Attr // set on this side
	shown      tree.Meta
	base       base
}

// put sends a file's content: to a temporary name, whose length is checked, and from there over the target in one
// step. Nothing is published if the local file changes meanwhile, or if the remote has another version than the base.
func (s *Fs) put(step tree.Step, result *Result) error {
	var c content
	err := s.m.Do(func(v *mirror.View) (err error) {
		c, err = sendable(v, step)
		return err
	})
	if err != nil {
		return err
	}
	part, err := s.claim(step)
	if err != nil {
		return err
	}
	temp := tree.Join(path.Dir(step.Path), baseName(part))
	sum, n, err := s.send(c, temp)
	result.Bytes = n
	if err == nil {
		err = s.finish(c, temp)
	}
	var arrived mirror.Answer
	if err == nil {
		if arrived = s.m.Ask(temp); arrived.Known != tree.Exists {
			err = fmt.Errorf("temporary file: %w", arrived.Err)
		} else if arrived.Meta.Size != c.stamp.Size {
			err = fmt.Errorf("%w: %d of %d bytes arrived", io.ErrShortWrite, arrived.Meta.Size, c.stamp.Size)
		}
	}
	if err == nil {
		if err = s.lasting(c.path); err != nil {
			err = cmp.Or(s.unchanged(step, c), err) // something else may be there by now
		}
	}
	if err == nil {
		err = s.publish(step, c, upload{temp, arrived.Meta, sum}, result)
	}
	if err != nil && !outcomeUnknown(err) && !s.intends(step.Node) {
		if sweepErr := s.sweep(part, temp); sweepErr != nil {
			s.logger.Warn("temporary file left on the remote until the next push", "name", temp, "err", sweepErr)
		}
	}
	return err
}

// upload is a content that lies under a temporary name on the remote.
type upload struct {
	temp string
	meta tree.Meta
	hash tree.Hash
}

// sendable is the content of a file that may be sent.
func sendable(v *mirror.View, step tree.Step) (content, error) {
	n := step.Node
	if v.Tree().Node(n.ID) != n || !n.InView() {
		return content{}, fmt.Errorf("%w: it was removed meanwhile", ErrBusy)
	}
	switch n.Content {
	case tree.Busy:
		return content{}, fmt.Errorf("%w: it is open for writing", ErrBusy)
	case tree.Interrupted:
		return content{}, fmt.Errorf("%w: the process died while it was written; Add it as it is, or write it anew", ErrBusy)
	}
	info, err := v.Local().Lstat(n.Path())
	if err != nil {
		return content{}, fmt.Errorf("local file: %w", mirror.Cause(err))
	}
	c := content{path: n.Path(), stamp: mirror.StampOf(info), generation: v.Generation(n), shown: n.Shown(),
		base: targetBase(v, step)}
	if n.Diff != nil {
		c.attr = n.Diff.Attr
	}
	if c.attr.Set&tree.AttrTimes == 0 {
		c.shown.MTime = c.stamp.MTime
	}
	return c, nil
}

// send sends the bytes and returns their hash and number.
func (s *Fs) send(c content, temp string) (sum tree.Hash, n int64, err error) {
	src, err := s.m.Local().OpenFile(c.path, os.O_RDONLY, 0)
	if err != nil {
		return sum, 0, err
	}
	defer src.Close()
	mode := c.shown.Mode.Perm() | 0o600 // until it is finished
	dst, err := s.m.RemoteFs().OpenFile(s.m.RemoteName(temp), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return sum, 0, mirror.Remote(err)
	}
	r := newSource(s.m.Context(), src, c.stamp.Size)
	n, err = io.Copy(dst, r)
	if closeErr := dst.Close(); err == nil {
		err = closeErr
	}
	switch {
	case r.err != nil && r.err != io.EOF:
		err = r.err // of this side
	case err != nil:
		err = mirror.Remote(err)
	case n != c.stamp.Size:
		err = fmt.Errorf("%w: it is shorter than it was", ErrBusy)
	}
	r.hash.Sum(sum[:0])
	return sum, n, err
}

// finish gives the temporary file owner, mode and time. A remote that refuses does not fail a good upload.
func (s *Fs) finish(c content, temp string) error {
	now := time.Unix(0, c.shown.MTime)
	attr := c.attr
	if attr.Set&tree.AttrTimes == 0 {
		attr.ATime, attr.MTime = now.UnixNano(), now.UnixNano()
	}
	attr.Set |= tree.AttrTimes | tree.AttrMode
	attr.Mode = c.shown.Mode & (os.ModePerm | os.ModeSetuid | os.ModeSetgid | os.ModeSticky)
	for _, bit := range []tree.AttrMask{tree.AttrMode, tree.AttrOwner, tree.AttrTimes} {
		one := attr
		one.Set &= bit
		if err := s.setAttrs(temp, one); fatal(err) {
			return err
		} else if err != nil {
			s.logger.Warn("attribute refused by the remote", "name", c.path, "err", err)
		}
	}
	return nil
}
