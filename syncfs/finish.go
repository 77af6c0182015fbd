package syncfs

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// How an upload completes its temporary file after the content. If the remote refuses an attribute, the upload does not
// fail: Result.Refused reports it.

// syncRemote syncs an upload to the remote's disk, if the remote supports that.
func syncRemote(f interface{ Sync() error }, r *Result) error {
	err := f.Sync()
	if err == nil {
		r.Synced = true
	}
	if fatal(remote.Error(err)) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}

// settable has the bits of a mode that chmod sets.
const settable = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// wanted returns the attributes that a published file must have.
func (c content) wanted() tree.Attr {
	attr := c.attr
	if attr.Set&tree.AttrTimes == 0 {
		attr.ATime, attr.MTime = c.shown.MTime, c.shown.MTime
	}
	attr.Set |= tree.AttrTimes | tree.AttrMode
	attr.Mode = c.shown.Mode & settable
	return attr
}

// finish closes a temporary file and sets its times in one round trip. The next look at the file shows whether the
// times were set last.
func (s *Fs) finish(f afero.File, c content, temp string, r *Result) error {
	var closeErr, timesErr error
	s.both(
		func() { closeErr = remote.Error(f.Close()) },
		func() { timesErr = s.setWanted(c, temp, tree.AttrTimes, r) })
	return cmp.Or(closeErr, timesErr)
}

// differs reports whether a temporary file lacks an attribute that it must have and that the remote has not refused
// yet. Its owner is not visible, and counts as different.
func differs(a remote.Answer, c content, r *Result) bool {
	want := c.wanted()
	return a.Known == tree.Exists && (want.Set&tree.AttrOwner != 0 || a.Meta.Mode&settable != want.Mode ||
		r.Refused == nil && !keeps(want.MTime, a.Meta.MTime))
}

// correct sets all attributes of a temporary file, the times last, because the others may change them.
func (s *Fs) correct(c content, temp string, r *Result) error {
	r.Refused = nil
	for _, bit := range []tree.AttrMask{tree.AttrMode, tree.AttrOwner, tree.AttrTimes} {
		if err := s.setWanted(c, temp, bit, r); err != nil {
			return err
		}
	}
	return nil
}

// setWanted sets one attribute. It returns an error only if the remote did not answer.
func (s *Fs) setWanted(c content, temp string, bit tree.AttrMask, r *Result) error {
	attr := c.wanted()
	attr.Set &= bit
	err := s.setAttrs(temp, attr)
	if fatal(err) {
		return err
	}
	if err != nil {
		r.Refused = errors.Join(r.Refused, fmt.Errorf("%s: %w", attrNames[bit], err))
	}
	return nil
}

var attrNames = map[tree.AttrMask]string{tree.AttrMode: "mode", tree.AttrOwner: "owner", tree.AttrTimes: "times"}
