package syncfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

// What is known about a name, what is done to it, and whether the remote can be reached decide about the answer.
func TestAnswers(t *testing.T) {
	t.Parallel()
	states := []struct {
		name    string
		prepare func(r *rig)
		kept    bool // the name is known on this side
		exists  bool
	}{
		{"owned", func(r *rig) { r.serve("d/x"); r.fetch("d/x") }, true, true},
		{"changed", func(r *rig) { r.serve("d/x"); r.append("d/x", "more") }, true, true},
		{"made", func(r *rig) { r.serve("d/y"); r.write("d/x") }, true, true},
		{"local", func(r *rig) { r.serve("d/y"); r.place("d/x") }, true, true},
		{"removed", func(r *rig) { r.serve("d/x"); require.NoError(r, r.fs.Remove("d/x")) }, true, false},
		{"in a directory made here", func(r *rig) { require.NoError(r, r.fs.Mkdir("d", 0o755)) }, true, false},
		{"not asked, there", func(r *rig) { r.serve("d/x", "d/y"); r.fetch("d/y") }, false, true},
		{"not asked, not there", func(r *rig) { r.serve("d/y"); r.fetch("d/y") }, false, false},
	}
	ops := []struct {
		name         string
		do           func(s *Fs) error
		there, not   error // what it answers if the name is there, if it is not
		unreachable  error // and if that is not known and the remote gives no answer
		targetsOther bool  // it is about another name as well, which only the remote knows about
	}{
		{"read", func(s *Fs) error { _, err := afero.ReadFile(s, "d/x"); return err }, nil, fs.ErrNotExist, ErrUnavailable, false},
		{"stat", func(s *Fs) error { _, err := s.Stat("d/x"); return err }, nil, fs.ErrNotExist, ErrUnavailable, false},
		{"lstat", func(s *Fs) error { _, _, err := s.LstatIfPossible("d/x"); return err }, nil, fs.ErrNotExist, ErrUnavailable, false},
		{"remove", func(s *Fs) error { return s.Remove("d/x") }, nil, fs.ErrNotExist, ErrUnavailable, false},
		{"removeall", func(s *Fs) error { return s.RemoveAll("d/x") }, nil, nil, ErrUnavailable, false},
		{"rename", func(s *Fs) error { return s.Rename("d/x", "d/z") }, nil, fs.ErrNotExist, ErrUnavailable, true},
		{"mkdir", func(s *Fs) error { return s.Mkdir("d/x", 0o755) }, fs.ErrExist, nil, ErrUnavailable, false},
		{"create exclusively", func(s *Fs) error {
			return made(s.OpenFile("d/x", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644))
		}, fs.ErrExist, nil, ErrUnavailable, false},
		{"open for writing", func(s *Fs) error { return made(s.OpenFile("d/x", os.O_WRONLY, 0)) }, nil, fs.ErrNotExist, ErrUnavailable, false},
		{"chmod", func(s *Fs) error { return s.Chmod("d/x", 0o640) }, nil, fs.ErrNotExist, ErrUnavailable, false},
		{"create", func(s *Fs) error { return made(s.Create("d/x")) }, nil, nil, nil, false},
		{"mkdirall", func(s *Fs) error { return s.MkdirAll("d/x", 0o755) }, errNotDir, nil, nil, false},
		{"mkdirall below", func(s *Fs) error { return s.MkdirAll("d/x/y", 0o755) }, errNotDir, nil, nil, false},
	}
	for _, state := range states {
		for _, op := range ops {
			for _, reachable := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/%s/reachable %v", state.name, op.name, reachable), func(t *testing.T) {
					t.Parallel()
					r := newRig(t, nil)
					state.prepare(r)
					if !reachable {
						r.down()
					}
					err := op.do(r.fs)
					want := op.not
					switch {
					case !reachable && !state.kept, !reachable && op.targetsOther && state.exists:
						want = op.unreachable
					case state.exists:
						want = op.there
					}
					requireError(t, want, err)
					require.False(t, errors.Is(err, ErrUnavailable) && errors.Is(err, fs.ErrNotExist))
					r.up()
				})
			}
		}
	}
}

var errNotDir = errors.New("a file is in the way")

// requireError expects an error, or none. errNotDir stands for an error without a sentinel.
func requireError(t testing.TB, want, got error) {
	t.Helper()
	switch want {
	case nil:
		require.NoError(t, got)
	case errNotDir:
		require.Error(t, got)
		require.NotErrorIs(t, got, fs.ErrNotExist)
		require.NotErrorIs(t, got, ErrUnavailable)
	default:
		require.ErrorIs(t, got, want)
	}
}

func made(f afero.File, err error) error {
	if err != nil {
		return err
	}
	return f.Close()
}

// A listing is whole or it is an error.
func TestListingUnreachable(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("d/x", "d/y")
	r.fetch("d/x")
	require.NoError(t, r.fs.Mkdir("made", 0o755))
	r.write("made/z")
	r.down()
	for _, dir := range []string{"d", "/"} {
		_, err := afero.ReadDir(r.fs, dir)
		require.ErrorIs(t, err, ErrUnavailable)
		require.NotErrorIs(t, err, fs.ErrNotExist)
	}
	infos, err := afero.ReadDir(r.fs, "made") // all of it is here
	require.NoError(t, err)
	require.Len(t, infos, 1)
}

// What was accepted while the remote gave no answer is pushed when it does, over what is there.
func TestMadeUnreachable(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("a:theirs", "d/b:theirs", "d/c")
	r.down()
	r.write("a:ours", "d/b:ours", "d/new/deep/x", "e/y")
	r.fails(ErrUnavailable)
	r.up()
	r.pushes()
	r.has(r.served(), "a:ours", "d/", "d/b:ours", "d/c:d/c", "d/new/", "d/new/deep/", "d/new/deep/x:d/new/deep/x", "e/", "e/y:e/y")
}

// A file made where the remote has a directory, and the other way round, is a conflict, whatever the policy.
func TestMadeUnreachableKindClash(t *testing.T) {
	t.Parallel()
	for _, policy := range []ConflictPolicy{Fail, Overwrite} {
		r := newRig(t, &Options{Conflict: policy})
		r.serve("file/theirs", "dir:theirs", "dir2:theirs")
		r.down()
		r.write("file:ours", "dir/", "dir2/x", "other")
		r.up()
		report := r.fails(ErrConflict)
		require.Equal(t, 4, report.Failed, "%v", report.Results) // what is in dir2 waits for it
		r.has(r.served(), "file/", "file/theirs:file/theirs", "dir:theirs", "dir2:theirs", "other:other")
		r.queued("put file", "mkdir dir", "mkdir dir2", "put dir2/x")
	}
}
