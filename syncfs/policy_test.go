package syncfs

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// inConflict is a rig with an edit, a removal, a rename and a put of one's own that are in conflict, and one edit
// that is not.
func inConflict(t *testing.T, opts *Options) *rig {
	r := newRig(t, opts)
	r.serve("edited", "removed", "renamed", "fine", "d/edited")
	r.fetch("edited", "removed", "renamed", "fine", "d/edited")
	r.append("edited", "+ours")
	r.append("fine", "+ours")
	r.append("d/edited", "+ours")
	require.NoError(t, r.fs.Remove("removed"))
	require.NoError(t, r.fs.Rename("renamed", "elsewhere"))
	r.write("made:by us")
	r.serve("edited:written by them", "removed:written by them", "renamed:written by them", "made:made by them too", "d/edited:written by them")
	return r
}

func TestEachConflictIsDecided(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]Conflict{}
	contents := map[string]string{}
	opts := &Options{Conflict: KeepBoth, Resolve: func(c Conflict) ConflictPolicy {
		if !mu.TryLock() {
			t.Error("called twice at once")
			return Fail
		}
		defer mu.Unlock()
		seen[c.Name] = c
		for side, open := range map[string]func() (io.ReadCloser, error){"ours ": c.OpenLocal, "theirs ": c.OpenRemote} {
			if open != nil {
				f, err := open()
				if err != nil {
					t.Error(err)
					return Fail
				}
				content, err := io.ReadAll(f)
				contents[side+c.Name] = string(content)
				if err = errors.Join(err, f.Close()); err != nil {
					t.Error(err)
				}
			}
		}
		switch c.Name {
		case "made", "removed":
			return Overwrite
		case "edited":
			return KeepBoth
		}
		return Fail
	}}
	r := inConflict(t, opts)
	report := r.fails(ErrConflict)
	require.Len(t, seen, 5)
	require.Equal(t, map[string]string{
		"ours edited": "edited+ours", "theirs edited": "written by them",
		"ours d/edited": "d/edited+ours", "theirs d/edited": "written by them",
		"ours made": "by us", "theirs made": "made by them too",
		"theirs removed": "written by them",
		"theirs renamed": "written by them",
	}, contents)
	for name, c := range seen {
		require.ErrorIs(t, c.Reason, ErrConflict)
		require.Contains(t, c.Reason.Error(), name)
		require.Equal(t, name != "made", c.Base != nil, name)
		require.NotNil(t, c.Remote)
		require.Equal(t, c.Op == Put, c.Local != nil, name)
	}
	require.Equal(t, int64(len("edited")), seen["edited"].Base.Size())
	require.Equal(t, int64(len("written by them")), seen["edited"].Remote.Size())
	require.Equal(t, int64(len("edited+ours")), seen["edited"].Local.Size())
	require.Equal(t, "edited", seen["d/edited"].Remote.Name())

	kept := ""
	for _, result := range report.Results {
		switch result.Name {
		case "made", "removed", "edited":
			require.NoError(t, result.Err)
			require.ErrorIs(t, result.Conflict, ErrConflict)
			kept += result.Kept
		case "fine":
			require.NoError(t, result.Conflict)
		default:
			require.ErrorIs(t, result.Err, ErrConflict)
		}
	}
	r.queued("rename renamed -> elsewhere", "put d/edited")
	r.has(r.served(), "d/", "d/edited:written by them", "edited:written by them", kept+":edited+ours", "fine:fine+ours", "made:by us",
		"renamed:written by them")
}

// A conflict that an earlier Push has reported is decided by name; the others stay.
func TestPushWithAPolicyForNames(t *testing.T) {
	t.Parallel()
	r := inConflict(t, nil)
	r.fails(ErrConflict)
	left := func(policy ConflictPolicy, names ...string) {
		t.Helper()
		_, err := r.fs.PushWith(t.Context(), policy, names...)
		require.ErrorIs(t, err, ErrConflict)
	}
	left(Overwrite, "/edited", "d")
	r.queued("put made", "remove removed", "rename renamed -> elsewhere")
	r.has(r.served(), "d/", "d/edited:d/edited+ours", "edited:edited+ours", "fine:fine+ours", "made:made by them too",
		"removed:written by them", "renamed:written by them")
	left(KeepBoth, "made", "removed")
	r.queued("remove removed", "rename renamed -> elsewhere")
	left(Overwrite, "elsewhere")
	r.queued("remove removed")
	_, err := r.fs.PushWith(t.Context(), Overwrite)
	require.NoError(t, err)
	require.Empty(t, aferotest.Diff(r.served(), r.view()))
}

func TestPushWithRefusesWhatIsNoPolicyOrName(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for _, err := range []error{
		second(r.fs.PushWith(t.Context(), KeepBoth+1)),
		second(r.fs.PushWith(t.Context(), Fail, "a\x00b")),
	} {
		require.ErrorIs(t, err, fs.ErrInvalid)
	}
	require.Zero(t, r.plan.Total())
}

func second[T any](_ T, err error) error { return err }

// A change that is made to another version than its base does not make a copy of that version pass for this one.
func TestOverwritingChangeKeepsNoOldCopy(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(r *rig) error{
		"f": func(r *rig) error { return r.fs.Chmod("f", 0o600) },
		"g": func(r *rig) error { return r.fs.Rename("f", "g") },
		"t": func(r *rig) error {
			return errors.Join(r.fs.Rename("f", "t"), r.fs.Chtimes("t", time.Unix(1, 0), time.Unix(1, 0)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, &Options{Conflict: Overwrite})
			r.serve("f:ours")
			r.fetch("f")
			require.NoError(t, change(r))
			r.serve("f:written by them")
			_, err := r.push()
			require.NoError(t, err)
			r.reads(name, "written by them")
			r.restart()
			r.reads(name, "written by them")
		})
	}
}

// A large file that is in conflict is not sent in vain.
func TestConflictOfALargeFileIsFoundFirst(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("f")
	r.fetch("f")
	r.write("f:" + bulk(1, 2))
	r.serve("f:theirs")
	r.fails(ErrConflict)
	require.Zero(t, r.plan.BytesWritten())
	_, err := r.fs.PushWith(t.Context(), Overwrite, "f")
	require.NoError(t, err)
	r.holds("f", bulk(1, 2))
}

// What a remote refuses or cannot do shows in the result, and fails nothing.
func TestResultSaysWhatTheRemoteDid(t *testing.T) {
	t.Parallel()
	r := newRig(t, &Options{SyncRemote: true})
	r.serve("f")
	r.append("f", "+")
	result := r.pushes().Results[0]
	require.True(t, result.Synced)
	require.NoError(t, result.Refused)
	require.False(t, result.MovedAside)

	r.append("f", "+")
	r.plan.Before(func(op faultfs.Op) error {
		switch op.Kind {
		case faultfs.Chtimes:
			return fs.ErrPermission
		case faultfs.Sync:
			return errors.ErrUnsupported
		}
		return nil
	})
	result = r.pushes().Results[0]
	require.False(t, result.Synced)
	require.ErrorIs(t, result.Refused, fs.ErrPermission)
	require.Contains(t, result.Refused.Error(), "times")
	r.plan.Heal()

	require.NoError(t, r.fs.Close())
	r.remote = noReplace{r.remote, r.remote.(afero.Symlinker)}
	r.start()
	r.append("f", "+")
	require.True(t, r.pushes().Results[0].MovedAside)
	r.has(r.served(), "f:f+++")
}

// noReplace does not replace by rename.
type noReplace struct {
	afero.Fs
	afero.Symlinker
}

func (n noReplace) Rename(from, to string) error {
	if _, err := n.Fs.Stat(to); err == nil {
		return fs.ErrExist
	}
	return n.Fs.Rename(from, to)
}

// Push ends with its context although Resolve does not return. The next Push calls Resolve when the earlier call has returned,
// and goes by the new answer.
func TestPushDoesNotWaitForResolve(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		asked, answer := 0, make(chan ConflictPolicy)
		r := newRig(t, &Options{Resolve: func(Conflict) ConflictPolicy {
			asked++
			return <-answer
		}})
		r.serve("a", "b")
		r.fetch("a", "b")
		r.append("a", "+ours")
		r.append("b", "+ours")
		r.serve("a:written by them", "b:written by them")
		push := func() (cancel func(), pushed chan error) {
			ctx, cancel := context.WithCancel(t.Context())
			pushed = make(chan error, 1)
			go func() { pushed <- second(r.fs.Push(ctx)) }()
			synctest.Wait()
			require.Empty(t, pushed)
			require.Equal(t, 1, asked, "one conflict at a time")
			return cancel, pushed
		}
		for range 2 {
			cancel, pushed := push()
			cancel()
			err := <-pushed
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorIs(t, err, ErrConflict)
			r.queued("put a", "put b")
		}
		cancel, pushed := push()
		defer cancel()
		answer <- Overwrite // too late
		answer <- KeepBoth
		answer <- KeepBoth
		require.NoError(t, <-pushed)
		require.Equal(t, 3, asked)
		require.Len(t, r.served(), 4)
	})
}

// What waits for a change that failed says which one, once.
func TestErrorOfAChangeThatWaits(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	require.NoError(t, r.fs.MkdirAll("dir/below/further", 0o755))
	r.write("dir/below/further/file")
	r.serve("dir:theirs")
	report, err := r.push()
	require.ErrorIs(t, err, ErrConflict)
	require.Len(t, report.Results, 4)
	for _, result := range report.Results {
		require.ErrorIs(t, result.Err, ErrConflict)
		require.LessOrEqual(t, strings.Count(result.Err.Error(), "not done before"), 1, result.Err)
		require.Contains(t, result.Err.Error(), "mkdir dir: changed on the remote")
	}
}
