package syncfs

import (
	"io"
	"sync"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// holdVersions keeps the remote's answers about open files back until it is told to let them go. given is closed when there
// is one.
func (r *rig) holdVersions(t *testing.T) (given <-chan struct{}, release func()) {
	first, gate := make(chan struct{}), make(chan struct{})
	once := sync.OnceFunc(func() { close(first) })
	r.plan.After(func(op faultfs.Op, err error) error {
		if op.Kind == faultfs.Fstat {
			once()
			<-gate
		}
		return err
	})
	release = sync.OnceFunc(func() { close(gate) })
	t.Cleanup(release)
	return first, release
}

// opens opens a file for reading.
func (r *rig) opens(t *testing.T, name string) afero.File {
	r.Helper()
	f, err := r.fs.Open(name)
	require.NoError(r, err)
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// What is opened before it has arrived, and removed, is still described as it was.
func TestRemovedWhileItArrives(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("x:theirs")
	set := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	require.NoError(t, r.fs.Chtimes("x", set, set))
	_, release := r.holdVersions(t)
	f := r.opens(t, "x")
	require.NoError(t, r.fs.RemoveAll("x"))
	fi, err := f.Stat()
	require.NoError(t, err)
	require.Equal(t, set, fi.ModTime().UTC())
	release()
	text, err := io.ReadAll(f)
	require.NoError(t, err)
	require.Equal(t, "theirs", string(text))
}

// What is opened before anything of it has arrived, and then emptied, is what is written, whatever gets its name later.
func TestEmptiedAndReplacedBeforeItArrives(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("x:theirs")
	_, release := r.holdVersions(t)
	f := r.opens(t, "x")
	r.write("x:ours", "temp:another")
	require.NoError(t, r.fs.Rename("temp", "x"))
	release()
	text, err := io.ReadAll(f)
	require.NoError(t, err)
	require.Equal(t, "ours", string(text))
}

// An answer that was given before this side has pushed a change is no later version than that.
func TestPushedWhileTheVersionIsAsked(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("x:theirs")
	given, release := r.holdVersions(t)
	require.NoError(t, r.opens(t, "x").Close())
	<-given
	change := func(year int) {
		set := time.Date(year, 2, 3, 4, 5, 6, 0, time.UTC)
		require.NoError(t, r.fs.Chtimes("x", set, set))
	}
	change(2001)
	_, err := r.push()
	require.NoError(t, err)
	change(2002)
	release()
	require.Eventually(t, func() bool { return len(r.plan.OpenFiles()) == 0 }, time.Minute, time.Millisecond)
	_, err = r.push()
	require.NoError(t, err)
}
