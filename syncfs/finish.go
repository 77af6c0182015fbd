package syncfs

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
	"github.com/sftpsyncer/go-syncfs/internal/umask"
)

// How an upload completes its file after the content. If the remote refuses an attribute, the upload does not fail:
// Result.Refused reports it.

// syncRemote syncs an upload to the remote's disk, if the remote supports that.
func syncRemote(f interface{ Sync() error }, r *Result) error {
	err := remote.Error(f.Sync())
	if err == nil {
		r.Synced = true
	}
	if fatal(err) {
		return err
	}
	return nil
}

// settable has the bits of a mode that chmod sets.
const settable = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// wanted returns the attributes that a published file must have. made is the mode with which the remote has made it.
func (c content) wanted(made fs.FileMode) tree.Attr {
	attr := c.attr
	if attr.Set&tree.AttrTimes == 0 {
		attr.ATime, attr.MTime = c.shown.MTime, c.shown.MTime
	}
	attr.Set |= tree.AttrTimes | tree.AttrMode
	attr.Mode = c.shown.Mode & settable
	if !c.exact {
		attr.Mode = masked(attr.Mode, made)
	}
	return attr
}

// masked takes from the mode of a new file the bits that the remote's umask takes. made is the mode with which the remote
// has made the file.
func masked(mode, made fs.FileMode) fs.FileMode {
	left := umask.Left(made)
	if left == 0 {
		return made & settable
	}
	return mode & (left | settable&^fs.ModePerm)
}

// errTogether: the remote refused to close a file whose times were being set.
var errTogether = errors.New("while its times were set")

// finish closes an uploaded file and sets its times in one round trip. The next look at the file shows whether the
// times were set last. If the remote has ever refused to close a file meanwhile, finish takes two round trips.
func (s *Fs) finish(f afero.File, c content, name string, r *Result) error {
	var closeErr, timesErr error
	closes := func() { closeErr = remote.Error(f.Close()) }
	setTimes := func() {
		attr := c.wanted(c.shown.Mode)
		attr.Set &= tree.AttrTimes
		r.Refused, timesErr = s.setAttrs(name, attr, refused)
	}
	if s.learned.closesFirst.Load() {
		if closes(); closeErr == nil {
			setTimes()
		}
		return cmp.Or(closeErr, timesErr)
	}
	s.both(closes, setTimes)
	if refused(closeErr) {
		s.learned.closesFirst.Store(true)
		return fmt.Errorf("%w %w", closeErr, errTogether)
	}
	return cmp.Or(closeErr, timesErr)
}

// differs reports whether an uploaded file lacks an attribute that it must have. Its owner is not visible, and counts as
// different.
func differs(a remote.Answer, c content) bool {
	want := c.wanted(a.Meta.Mode)
	return a.Known == tree.Exists && (want.Set&tree.AttrOwner != 0 || a.Meta.Mode&settable != want.Mode ||
		!keeps(want.MTime, a.Meta.MTime))
}

// correct sets all attributes of an uploaded file that the remote describes as a.
func (s *Fs) correct(c content, name string, a remote.Answer, r *Result) (err error) {
	r.Refused, err = s.setAttrs(name, c.wanted(a.Meta.Mode), refused)
	return err
}

// setAttrs sets attributes on the remote, the times last, because the others may change them. It goes on after an error
// that is tolerable, and returns these joined.
func (s *Fs) setAttrs(path string, a tree.Attr, tolerable func(error) bool) (tolerated, err error) {
	fsys, name := s.m.Remote().Fs(), s.m.Remote().Name(path)
	for _, set := range []struct {
		bit  tree.AttrMask
		name string
		call func() error
	}{
		{tree.AttrMode, "mode", func() error { return fsys.Chmod(name, a.Mode) }},
		{tree.AttrOwner, "owner", func() error { return fsys.Chown(name, a.UID, a.GID) }},
		{tree.AttrTimes, "times", func() error { return fsys.Chtimes(name, time.Unix(0, a.ATime), time.Unix(0, a.MTime)) }},
	} {
		if a.Set&set.bit == 0 {
			continue
		}
		if err := remote.Error(set.call()); err != nil && !tolerable(err) {
			return tolerated, err
		} else if err != nil {
			tolerated = errors.Join(tolerated, fmt.Errorf("%s: %w", set.name, err))
		}
	}
	return tolerated, nil
}
