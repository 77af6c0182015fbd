package syncfs

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
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

// claim records that an upload may leave a temporary file in the directory of its target. The name is a new one each
// time: what an earlier upload has sent may still arrive.
func (s *Fs) claim(step tree.Step) (part *tree.Node, err error) {
	err = s.m.Do(func(v *mirror.View) error {
		t, dir := v.Tree(), step.To.Dir
		if t.Node(dir.ID) != dir || !dir.HasBase() {
			return fmt.Errorf("%w: its directory was removed meanwhile", ErrBusy)
		}
		part = t.Hide(dir, newTempName(".part"), tree.File, tree.Unknown, tree.Meta{}, v.Now())
		part.Temp = true
		return nil
	})
	if err == nil {
		err = s.m.SyncLog()
	}
	return part, err
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

// sweep removes a temporary file.
func (s *Fs) sweep(part *tree.Node, path string) error {
	err := mirror.Remote(s.m.RemoteFs().Remove(s.m.RemoteName(path)))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return s.m.Do(func(v *mirror.View) error {
		if v.Tree().Node(part.ID) == part {
			v.Tree().Erased(part, v.Now())
		}
		return nil
	})
}

// swept records that the temporary file of an upload has been renamed.
func swept(v *mirror.View, i *tree.Intent) {
	dir := v.Tree().Node(i.Dir)
	if dir == nil {
		return
	}
	if part := dir.OnRemote(path.Base(i.From)); part != nil && part.Temp {
		v.Tree().Erased(part, v.Now())
	}
}

// baseName of a node on the remote.
func baseName(n *tree.Node) string {
	_, name := n.Base()
	return name
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

// source reads a local file once, from start to end, and hashes what it reads. It tells its size, so that a remote
// can keep many writes in flight.
type source struct {
	*io.SectionReader
	ctx  context.Context
	hash hash.Hash
	err  error
}

func newSource(ctx context.Context, f *localdir.File, size int64) *source {
	return &source{SectionReader: io.NewSectionReader(f, 0, size), ctx: ctx, hash: sha256.New()}
}

func (r *source) Read(p []byte) (n int, err error) {
	if err = r.ctx.Err(); err == nil {
		n, err = r.SectionReader.Read(p)
	}
	r.hash.Write(p[:n])
	r.err = err
	return n, err
}

// WriteTo hides that of the SectionReader, which would read past the hash.
func (r *source) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{r})
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

// publish renames a finished upload over its target, after the last look at both sides.
func (s *Fs) publish(step tree.Step, c content, u upload, result *Result) error {
	now := s.m.Ask(step.Path)
	if err := c.base.check(now, s.conflict, false); err != nil {
		switch same, sameErr := s.sameContent(step.Path, now, u); {
		case sameErr != nil:
			return errors.Join(err, sameErr)
		case same:
		case s.conflict == KeepBoth && errors.Is(err, ErrConflict):
			return s.publishBeside(step, c, u, result)
		default:
			return err
		}
	}
	intent := &tree.Intent{Kind: tree.Publish, From: u.temp, To: step.Path,
		Aside: s.besides(step.Path, step.Node, ".old"), Dir: step.To.Dir.ID, Meta: u.meta, Hash: u.hash, Stamp: c.stamp}
	err := s.unchanged(step, c)
	if err == nil {
		err = s.intend(step.Node, intent)
	}
	if err != nil {
		return err
	}
	if err := s.replace(intent, now.Known == tree.Exists); err != nil {
		return s.retract(step.Node, err)
	}
	return s.m.Do(func(v *mirror.View) error {
		published(v, step, intent, c.generation, c.attr)
		return nil
	})
}

// unchanged is ErrBusy if a file is not any more what was sent.
func (s *Fs) unchanged(step tree.Step, c content) error {
	return s.m.Do(func(v *mirror.View) error {
		again, err := sendable(v, step)
		if err == nil && (again.stamp != c.stamp || again.generation != c.generation) {
			err = errWrittenMeanwhile
		}
		return err
	})
}

var errWrittenMeanwhile = fmt.Errorf("%w: it changed during the push", ErrBusy)

// publishBeside publishes an upload that is in conflict under a name of its own.
func (s *Fs) publishBeside(step tree.Step, c content, u upload, result *Result) error {
	beside, err := s.keepBoth(step)
	if err != nil {
		return err
	}
	var moved content
	err = s.m.Do(func(v *mirror.View) (err error) {
		moved, err = sendable(v, beside)
		return err
	})
	if err != nil {
		return err
	}
	was := moved.stamp
	was.CTime = c.stamp.CTime // the local rename has changed it
	if was != c.stamp || moved.generation != c.generation {
		return errWrittenMeanwhile
	}
	result.Kept = beside.Path
	return s.publish(beside, moved, u, result)
}

// sameContent says whether the file that is in conflict has the bytes that were to be sent.
func (s *Fs) sameContent(path string, now mirror.Answer, u upload) (bool, error) {
	if now.Known != tree.Exists || now.Kind != tree.File || now.Meta.Size != u.meta.Size {
		return false, nil
	}
	f, err := s.m.RemoteFs().Open(s.m.RemoteName(path))
	if err != nil {
		return false, mirror.Remote(err)
	}
	defer f.Close()
	theirs := sha256.New()
	if _, err := io.Copy(theirs, f); err != nil {
		return false, mirror.Remote(err)
	}
	return tree.Hash(theirs.Sum(nil)) == u.hash, nil
}

// published records that the remote has the content that was sent. The local bytes are a copy of it from now on, if
// nothing was written since.
func published(v *mirror.View, step tree.Step, i *tree.Intent, generation uint64, sent tree.Attr) {
	n := step.Node
	reached(v, step, i.Meta)
	swept(v, i)
	if v.Tree().Node(n.ID) != n {
		return
	}
	if n.Diff != nil && n.Diff.Attr == sent {
		n.Diff.Attr = tree.Attr{}
	}
	if n.Content == tree.Changed && v.Generation(n) == generation {
		v.Sent(n, i.Stamp, i.Hash)
	}
	v.Tree().Touch(n)
}
