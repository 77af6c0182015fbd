package syncfs

import (
	"context"
	"errors"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// One change of each kind, and what Plan says about it; then Push does just that.
func TestPlanSaysWhatPushDoes(t *testing.T) {
	remote := aferotest.OS(t.TempDir())
	put := func(fsys afero.Fs, name, content string) {
		t.Helper()
		require.NoError(t, afero.WriteFile(fsys, name, []byte(content), 0o644))
	}
	require.NoError(t, remote.MkdirAll("/dir/sub", 0o755))
	for _, name := range []string{"/edited", "/dir/moved", "/removed", "/gone", "/mode", "/theirs", "/dir/sub/inner"} {
		put(remote, name, "base of "+name)
	}
	s := newFs(t, remote, realDir(t), nil)
	put(s, "new", "12345")
	put(s, "edited", "123")
	put(s, "theirs", "ours")
	require.NoError(t, s.Rename("dir", "dir2"))
	put(s, "dir2/sub/inner", "1234567")
	require.NoError(t, s.Rename("dir2/moved", "moved"))
	require.NoError(t, s.Remove("removed"))
	require.NoError(t, s.Remove("gone"))
	require.NoError(t, s.Chmod("mode", 0o600))
	require.NoError(t, s.Mkdir("made", 0o755))
	busy, err := s.Create("busy")
	require.NoError(t, err)
	put(remote, "/theirs", "written by somebody else")
	require.NoError(t, remote.Remove("/gone"))
	require.NoError(t, remote.Mkdir("/made", 0o755))

	before, err := aferotest.Tree(remote)
	require.NoError(t, err)
	plan, err := s.Plan(context.Background())
	require.NoError(t, err)
	after, err := aferotest.Tree(remote)
	require.NoError(t, err)
	require.Empty(t, aferotest.Diff(before, after), "Plan changes nothing")

	got := map[string]Action{}
	for _, p := range plan.Steps {
		got[p.String()] = p.Action
		require.Equal(t, p.Action == ActionConflict, errors.Is(p.Err, ErrConflict), p.String())
	}
	want := map[string]Action{
		"put new":                    ActionCreate,
		"put edited":                 ActionReplace,
		"put theirs":                 ActionConflict,
		"rename dir -> dir2":         ActionRename,
		"put dir2/sub/inner":         ActionReplace,
		"rename dir2/moved -> moved": ActionRename,
		"remove removed":             ActionRemove,
		"remove gone":                ActionSkip,
		"setattr mode":               ActionSetAttr,
		"mkdir made":                 ActionSkip,
		"put busy":                   ActionSkip,
	}
	require.Equal(t, want, got)
	require.EqualValues(t, 5+3+7, plan.Bytes)

	require.NoError(t, busy.Close())
	_, err = s.Push(context.Background())
	require.ErrorIs(t, err, ErrConflict)
	require.Len(t, s.Pending(), 1)
}

// A directory is queued, and another client makes something else of that name.
func TestPlanOfADirectoryThatIsSomethingElseThere(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		make func(r *rig)
		want Action
	}{
		"nothing":                      {func(*rig) {}, ActionCreate},
		"directory":                    {func(r *rig) { r.serve("n/") }, ActionSkip},
		"file":                         {func(r *rig) { r.serve("n") }, ActionConflict},
		"symbolic link to a directory": {func(r *rig) { r.link("d", "n") }, ActionSkip},
		"symbolic link to a file":      {func(r *rig) { r.link("d/file", "n") }, ActionConflict},
		"dangling symbolic link":       {func(r *rig) { r.link("none", "n") }, ActionConflict},
		"symbolic link to itself":      {func(r *rig) { r.link("n", "n") }, ActionConflict},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.serve("d/file")
			require.NoError(t, r.fs.Mkdir("n", 0o755))
			c.make(r)
			plan, err := r.fs.Plan(t.Context())
			require.NoError(t, err)
			require.Len(t, plan.Steps, 1)
			require.Equal(t, c.want, plan.Steps[0].Action)
			require.Equal(t, c.want == ActionConflict, errors.Is(plan.Steps[0].Err, ErrConflict))
			report, err := r.push()
			require.Len(t, report.Results, 1)
			if c.want == ActionConflict {
				require.ErrorIs(t, err, ErrConflict)
				r.queued("mkdir n")
			} else {
				require.NoError(t, err)
			}
		})
	}
}

func TestPlanNeedsTheRemote(t *testing.T) {
	faults := new(faultfs.Plan)
	s := newFs(t, faultfs.New(aferotest.OS(t.TempDir()), faults), realDir(t), nil)
	plan, err := s.Plan(context.Background())
	require.NoError(t, err)
	require.Empty(t, plan.Steps)
	require.Zero(t, faults.Total(), "nothing is queued: the remote is not used")

	require.NoError(t, afero.WriteFile(s, "a", nil, 0o644))
	faults.Offline(errors.New("no route"))
	_, err = s.Plan(context.Background())
	require.ErrorIs(t, err, ErrUnavailable)
}
