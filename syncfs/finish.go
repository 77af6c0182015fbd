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

// What an upload does to its temporary file when the content is there. A remote that refuses an attribute does not
// fail a good upload: the result says what was refused.

// syncRemote syncs an upload to the remote's disk, if the remote can do that.
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

// settable are the bits of a mode that chmod sets.
const settable = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// wanted are the attributes that a published file is to have.
func (c content) wanted() tree.Attr {
	attr := c.attr
	if attr.Set&tree.AttrTimes == 0 {
		attr.ATime, attr.MTime = c.shown.MTime, c.shown.MTime
	}
	attr.Set |= tree.AttrTimes | tree.AttrMode
	attr.Mode = c.shown.Mode & settable
	return attr
}

// finish closes a temporary file and sets its times in one round trip. Whether the times came last shows when it is
// looked at.
func (s *Fs) finish(f afero.File, c content, temp string, r *Result) error {
	var closeErr, timesErr error
	s.both(
		func() { closeErr = remote.Error(f.Close()) },
		func() { timesErr = s.setWanted(c, temp, tree.AttrTimes, r) })
	return cmp.Or(closeErr, timesErr)
}

// differs says whether a temporary file lacks an attribute that it is to have and that nobody has refused yet.
func differs(a remote.Answer, c content, r *Result) bool {
	want := c.wanted()
	return a.Known == tree.Exists && (want.Set&tree.AttrOwner != 0 || a.Meta.Mode&settable != want.Mode ||
		r.Refused == nil && !keeps(want.MTime, a.Meta.MTime))
}

// correct sets all attributes of a temporary file, the times last, since the others may change them.
func (s *Fs) correct(c content, temp string, r *Result) error {
	r.Refused = nil
	for _, bit := range []tree.AttrMask{tree.AttrMode, tree.AttrOwner, tree.AttrTimes} {
		if err := s.setWanted(c, temp, bit, r); err != nil {
			return err
		}
	}
	return nil
}

// setWanted sets one attribute. The error is that the remote gave no answer.
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
