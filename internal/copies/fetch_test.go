package copies

import (
	"bytes"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/download"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// A fetch that is cut off at any of its operations leaves no part of a copy, and is made again by the next call.
func TestFetchCut(t *testing.T) {
	t.Parallel()
	faultfs.EachIndex(t, func(t *testing.T, p *faultfs.Plan) {
		r := newRig(t, func(base afero.Fs) afero.Fs { return faultfs.New(base, p) }, Options{})
		n := r.node("file")
		if err := r.fetch(n); err != nil {
			require.ErrorIs(t, err, remote.ErrUnavailable)
			require.ErrorIs(t, err, faultfs.ErrInjected)
			require.Nil(t, r.onDisk("file"))
			r.requireClean()
			p.Heal()
			require.NoError(t, r.fetch(n))
		}
		require.True(t, bytes.Equal(large, r.onDisk("file")))
		r.requireClean()
		require.Empty(t, p.OpenFiles())
	})
}

// The same for the local file system, and for what the next process finds.
func TestFetchCutLocally(t *testing.T) {
	t.Parallel()
	faultfs.EachIndex(t, func(t *testing.T, p *faultfs.Plan) {
		r := newRig(t, plain, Options{})
		r.close()
		if err := r.open(r.base, faultfs.New(r.disk, p)); err == nil {
			n, err := r.tryNode("file")
			if err == nil {
				err = r.fetch(n)
			}
			if err != nil {
				require.ErrorIs(t, err, faultfs.ErrInjected)
				require.NotErrorIs(t, err, remote.ErrUnavailable)
			}
			r.requireCounted()
			p.Heal()
			r.close()
		} else {
			require.ErrorIs(t, err, faultfs.ErrInjected)
		}
		p.Heal()
		require.NoError(t, r.open(r.base, faultfs.New(r.disk, p)))
		require.NoError(t, r.fetch(r.node("file")))
		require.True(t, bytes.Equal(large, r.onDisk("file")))
		r.requireClean()
		r.close()
		require.Empty(t, p.OpenFiles())
	}, faultfs.Fault{}, faultfs.Fault{Effect: faultfs.Part}, faultfs.Fault{Sticky: true})
}

// changedAt fetches a file that changes before each read whose number (of all that are made) is chosen. It returns the
// versions, or nil if the fetch has failed.
func changedAt(t *testing.T, chosen func(int) bool, change string) (*rig, [][]byte) {
	versions := [][]byte{large}
	plan := new(faultfs.Plan)
	r := newRig(t, func(base afero.Fs) afero.Fs { return faultfs.New(base, plan) }, Options{})
	n := r.node("file")
	reads, times := 0, 0
	plan.Before(func(op faultfs.Op) error {
		if op.Kind != faultfs.Read {
			return nil
		}
		if reads++; chosen(reads) {
			times++
			versions = append(versions, aferotest.Rewrites[change](r.base, "/file", large, times))
		}
		return nil
	})
	if err := r.fetch(n); err != nil {
		require.ErrorIs(t, err, download.ErrChanged)
		require.Nil(t, r.onDisk("file"))
		return r, nil
	}
	return r, versions
}

func (r *rig) requireOneOf(versions [][]byte) {
	got := r.onDisk("file")
	for _, v := range versions {
		if bytes.Equal(v, got) {
			r.requireClean()
			return
		}
	}
	require.Fail(r, "the copy is none of the versions")
}

// A file that changes during its fetch is fetched again: what is kept is one version, whole.
func TestFetchOfAFileThatChanges(t *testing.T) {
	t.Parallel()
	for name := range aferotest.Rewrites {
		for at := 1; at <= 6; at++ {
			r, versions := changedAt(t, func(read int) bool { return read == at }, name)
			require.NotNil(t, versions, "%s at read %d: one change is not too many", name, at)
			r.requireOneOf(versions)
		}
	}
}

// One that changes all the time is ErrChanged, or, if the version that was opened stays what it was, that one.
func TestFetchOfAFileThatChangesAlways(t *testing.T) {
	t.Parallel()
	for name := range aferotest.Rewrites {
		r, versions := changedAt(t, func(int) bool { return true }, name)
		if name == "is replaced" {
			r.requireOneOf(versions)
		} else {
			require.Nil(t, versions, name)
		}
	}
}

// What a call was told of a file is not undercut by a download that began before: it brings what the remote had then.
func TestFetchExpectsNoOlderVersion(t *testing.T) {
	t.Parallel()
	g := newGate()
	r := newRig(t, g.over, Options{})
	defer g.release()
	n := r.node("file")
	first := make(chan error)
	go func() { first <- r.fetch(n) }()
	<-g.reached // it has opened the old version
	r.put("file", "another version")
	r.node("file")
	second := make(chan error)
	go func() { second <- r.fetch(n) }()
	g.release()
	require.NoError(t, <-second)
	require.NoError(t, <-first)
	require.Equal(t, "another version", string(r.onDisk("file")))
	r.requireClean()
}

// A copy that is stale is replaced by the new version.
func TestStaleCopyIsReplaced(t *testing.T) {
	t.Parallel()
	r := newRig(t, plain, Options{})
	n := r.node("file")
	require.NoError(t, r.fetch(n))
	r.put("file", "another version")
	require.Same(t, n, r.node("file"))
	require.False(t, n.Present())
	require.NoError(t, r.fetch(n))
	require.Equal(t, "another version", string(r.onDisk("file")))
	require.True(t, n.Present())
	r.requireClean()
}

// Nobody gets bytes of a file that the program is writing on the remote.
func TestFileThatIsBeingWrittenIsNotKept(t *testing.T) {
	t.Parallel()
	r := newRig(t, plain, Options{})
	n := r.node("file")
	r.locked(func() { r.written["file"] = true })
	require.NoError(t, r.fetch(n), "who asked looks again")
	require.Nil(t, r.onDisk("file"))
	require.False(t, n.Present())
	r.requireClean()
}

// What stands under the name of a copy that is about to come stays, and the copy does not.
func TestFileOfTheUsersInThePlaceOfACopy(t *testing.T) {
	t.Parallel()
	r := newRig(t, plain, Options{})
	n := r.node("file")
	require.NoError(t, afero.WriteFile(r.disk, "/file", []byte("the user's"), 0o644))
	require.NoError(t, r.fetch(n), "who asked looks again")
	require.Equal(t, "the user's", string(r.onDisk("file")))
	require.False(t, n.Present())
	r.requireClean()
}

func TestTemporaryNamesAreNotUsedTwice(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	for _, c := range []struct {
		name string
		want uint64
	}{
		{localdir.TmpDir + "/0000000000000002-7", 7},
		{localdir.PartialDir + "/0000000000000002-12", 12},
		{"0000000000000002-9", 12},
		{"no number", 12},
		{"0000000000000002-", 12},
	} {
		s.Started(c.name)
		require.Equal(t, c.want, s.Starts(), c.name)
	}
}

// What is gone from the tree, or has nothing on the remote, is not fetched.
func TestNothingToFetch(t *testing.T) {
	t.Parallel()
	r := newRig(t, plain, Options{})
	n := r.node("file")
	r.locked(func() {
		r.tree.Forget(n)
		require.NoError(t, r.store.Save())
	})
	require.NoError(t, r.fetch(n))
	var made *tree.Node
	r.locked(func() {
		made = r.tree.Create(r.tree.Root(), "made", tree.File, tree.Meta{}, tree.Absent, 1)
		require.NoError(t, r.store.Save())
	})
	require.Error(t, r.fetch(made))
	require.Zero(t, r.set.Counted.Fetches.Load())
	r.close()
	require.Error(t, r.fetch(made))
}

// A log that can't be synced while a copy is installed does not undo what has become of the file meanwhile.
func TestInstallFailsAfterTheFileWasChanged(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(r *rig, n *tree.Node){
		"evicted":       func(r *rig, n *tree.Node) { r.tree.Lost(n) },
		"being written": func(r *rig, n *tree.Node) { r.tree.Begin(n) },
		"removed":       func(r *rig, n *tree.Node) { r.tree.Unlink(n, 1) },
		"as it was":     func(*rig, *tree.Node) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, plan := newRig(t, plain, Options{}), new(faultfs.Plan)
			r.close()
			require.NoError(t, r.open(r.base, faultfs.New(r.disk, plan)))
			n := r.node("file")
			var content tree.Content
			plan.Before(func(op faultfs.Op) error {
				if op.Kind != faultfs.Sync || op.Name != "/"+localdir.StateDir+"/log" {
					return nil
				}
				r.locked(func() {
					change(r, n)
					require.NoError(t, r.store.Save())
					content = n.Content()
				})
				return faultfs.ErrInjected
			})
			err := r.fetch(n)
			plan.Heal()
			require.ErrorIs(t, err, faultfs.ErrInjected)
			r.locked(func() {
				if name != "as it was" {
					require.Equal(t, content, n.Content())
				} else {
					require.Equal(t, tree.Remote, n.Content())
				}
			})
		})
	}
}
