package copies

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/download"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// gate is a remote whose files can be read only once each before it is released.
type gate struct {
	afero.Fs
	reached chan struct{} // closed when somebody waits
	open    chan struct{}
	once    [2]sync.Once
}

func newGate() *gate { return &gate{reached: make(chan struct{}), open: make(chan struct{})} }

func (g *gate) over(base afero.Fs) afero.Fs {
	g.Fs = base
	return g
}

func (g *gate) release() { g.once[1].Do(func() { close(g.open) }) }

func (g *gate) Open(name string) (afero.File, error) {
	f, err := g.Fs.Open(name)
	return &gatedFile{File: f, g: g}, err
}

type gatedFile struct {
	afero.File
	g     *gate
	reads atomic.Int32
}

func (f *gatedFile) Read(p []byte) (int, error) {
	if f.reads.Add(1) > 1 {
		f.g.once[0].Do(func() { close(f.g.reached) })
		<-f.g.open
	}
	return f.File.Read(p)
}

func TestStreamReadsWhatArrives(t *testing.T) {
	t.Parallel()
	r := newRig(t, plain, Options{})
	n := r.node("file")
	s := r.stream(n)
	size, err := s.Size()
	require.NoError(t, err)
	require.EqualValues(t, len(large), size)
	got, err := readAll(s)
	require.NoError(t, err)
	require.True(t, bytes.Equal(large, got))
	p := make([]byte, 20)
	done, err := s.ReadAt(p, int64(len(large)-10))
	require.Equal(t, io.EOF, err)
	require.Equal(t, large[len(large)-10:], p[:done])
	info, err := s.Local()
	require.NoError(t, err)
	require.EqualValues(t, len(large), info.Size())
	require.NoError(t, s.Close())
	require.True(t, bytes.Equal(large, r.onDisk("file")))
	r.requireClean()
	require.EqualValues(t, 1, r.set.Counted.Fetches.Load())
	require.EqualValues(t, len(large), r.set.Counted.FetchedBytes.Load())
}

// All who read a file share a download.
func TestStreamsShareADownload(t *testing.T) {
	t.Parallel()
	g := newGate()
	r := newRig(t, g.over, Options{})
	n := r.node("file")
	var streams []*Stream
	for range 3 {
		streams = append(streams, r.stream(n))
	}
	r.locked(func() {
		require.True(t, r.set.Joinable(n))
		bytes, arriving := r.set.Arrived(n)
		require.True(t, arriving)
		require.Less(t, bytes, int64(len(large)))
	})
	meta, arriving := streams[0].Shown()
	require.True(t, arriving)
	require.EqualValues(t, len(large), meta.Size)
	awaited := make(chan error)
	go func() { awaited <- r.set.Await(r.ctx, n) }()
	ended, cancel := context.WithCancel(r.ctx)
	cancel()
	require.ErrorIs(t, r.set.Await(ended, n), context.Canceled)
	g.release()
	for _, s := range streams {
		got, err := readAll(s)
		require.NoError(t, err)
		require.True(t, bytes.Equal(large, got))
		require.NoError(t, s.Close())
	}
	require.NoError(t, <-awaited)
	require.NoError(t, r.set.Await(r.ctx, n), "there is none")
	require.EqualValues(t, 1, r.set.Counted.Fetches.Load())
	require.EqualValues(t, 2, r.set.Counted.Waits.Load())
	r.requireClean()
}

// After the last close the rest is fetched if little is missing.
func TestRestAfterTheLastClose(t *testing.T) {
	t.Parallel()
	for fill, want := range map[int64]bool{0: true, -1: false, 1: false, 1 << 30: true} {
		g := newGate()
		r := newRig(t, g.over, Options{FillAfterClose: fill})
		n := r.node("file")
		s := r.stream(n)
		s.Prefetch()
		<-g.reached
		closed := make(chan error)
		go func() { closed <- s.Close() }()
		if want {
			require.NoError(t, <-closed)
			g.release()
		} else {
			require.Eventually(t, func() (given bool) {
				r.locked(func() { given = !r.set.Joinable(n) })
				return given
			}, 10*time.Second, time.Millisecond)
			g.release()
			require.NoError(t, <-closed)
		}
		r.settle()
		require.Equal(t, want, r.onDisk("file") != nil, fill)
		r.requireClean()
	}
}

// A reader whose download has failed goes on with another one, if that brings the same version.
func TestStreamGoesOnAfterAFault(t *testing.T) {
	t.Parallel()
	for _, changed := range []bool{false, true} {
		plan := new(faultfs.Plan)
		r := newRig(t, func(base afero.Fs) afero.Fs { return faultfs.New(base, plan) }, Options{})
		n := r.node("file")
		var reads atomic.Int32
		plan.Before(func(op faultfs.Op) error {
			if op.Kind == faultfs.Read && reads.Add(1) == 2 {
				return faultfs.ErrInjected
			}
			return nil
		})
		s := r.stream(n)
		p := make([]byte, 10)
		_, err := s.ReadAt(p, 0)
		require.NoError(t, err)
		require.Equal(t, large[:10], p)
		_, err = readAll(s)
		require.ErrorIs(t, err, faultfs.ErrInjected)
		if changed {
			r.put("file", "another version")
		}
		got, err := readAll(s)
		if changed {
			require.ErrorIs(t, err, download.ErrChanged)
		} else {
			require.NoError(t, err)
			require.True(t, bytes.Equal(large, got))
		}
		require.NoError(t, s.Close())
		r.settle()
		require.Empty(t, plan.OpenFiles())
		r.requireClean()
	}
}

// A file that was removed on the remote after it was opened has changed.
func TestStreamOfARemovedFile(t *testing.T) {
	t.Parallel()
	g := newGate()
	r := newRig(t, g.over, Options{})
	defer g.release()
	n := r.node("file")
	s := r.stream(n)
	_, err := s.ReadAt(make([]byte, 1), 0)
	require.NoError(t, err)
	r.locked(func() {
		r.set.Stop(n)
		r.tree.Forget(n)
		require.NoError(t, r.store.Save())
	})
	g.release()
	r.settle()
	_, err = s.ReadAt(make([]byte, 1), 100)
	require.ErrorIs(t, err, download.ErrChanged)
	_, err = s.Size()
	require.ErrorIs(t, err, download.ErrChanged)
	require.NoError(t, s.Close())

	require.NoError(t, r.base.Remove("/file"))
	r.put("other", "x")
	other := r.node("other")
	require.NoError(t, r.base.Remove("/other"))
	none, err := r.set.Open(r.ctx, other, "other", r.expect(other), func(bool) bool { return false })
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.Nil(t, none)
}

// What has other bytes by now is read there.
func TestHandOver(t *testing.T) {
	t.Parallel()
	g := newGate()
	r := newRig(t, g.over, Options{})
	defer g.release()
	n := r.node("file")
	s := r.stream(n)
	require.NoError(t, afero.WriteFile(r.disk, "/file", []byte("written here"), 0o644))
	r.locked(func() {
		r.tree.KeepBase(n, 1)
		r.tree.Begin(n)
		require.NoError(t, r.store.Save())
		r.set.HandOver(n, "file")
	})
	got, err := readAll(s)
	require.NoError(t, err)
	require.Equal(t, "written here", string(got))
	_, arriving := s.Shown()
	require.False(t, arriving)
	require.NoError(t, s.Close())
	require.Equal(t, "written here", string(r.onDisk("file")))
}

// A handle whose download has failed goes over to a copy that is recorded and not in its place yet: not to the older one that
// still is.
func TestStreamReadsACopyThatIsBeingInstalled(t *testing.T) {
	t.Parallel()
	r := newRig(t, plain, Options{})
	n := r.node("file")
	require.NoError(t, r.fetch(n))

	const temp = localdir.TmpDir + "/installing"
	f, err := r.local.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	require.NoError(t, err)
	_, err = f.WriteAt([]byte("the new one"), 0)
	require.NoError(t, err)
	info, err := f.Stat()
	require.NoError(t, errors.Join(err, f.Close()))

	s := &Stream{set: r.set, ctx: r.ctx, path: "file", node: n}
	r.locked(func() {
		r.tree.MarkStale(n)
		n.Meta.Size = info.Size()
		r.tree.Install(n, tree.Copy{Stamp: tree.Stamp(info.Stamp)}.From(temp))
		require.NoError(t, r.store.Save())
	})
	require.NoError(t, s.settle(download.ErrSuperseded))
	p := make([]byte, 20)
	read, err := s.local.ReadAt(p, 0)
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, "the new one", string(p[:read]))
	require.NoError(t, s.local.Close())
}

// What comes to the new name of a file that was renamed after it was opened is not what was opened.
func TestOpenedAndRenamed(t *testing.T) {
	t.Parallel()
	r := newRig(t, plain, Options{FillAfterClose: -1})
	n := r.node("file")
	e := r.expect(n)
	require.NoError(t, r.base.Rename("/file", "/g"))
	r.locked(func() {
		r.tree.Move(n, r.tree.Root(), "g", tree.Exists, 1)
		r.tree.Rebase(n, r.tree.Root(), "g")
		require.NoError(t, r.store.Save())
	})
	r.put("g", "another one")

	s, err := r.set.Open(r.ctx, n, "file", e, func(bool) bool { return false })
	require.NoError(t, err)
	require.Nil(t, s, "to be looked at again")

	t.Run("while it arrives", func(t *testing.T) {
		s := &Stream{set: r.set, ctx: r.ctx, node: n, path: "file", expected: e}
		a, err := s.rejoin()
		require.NoError(t, err)
		require.Equal(t, e.Meta, *s.version)
		s.at = a
		_, err = s.ReadAt(make([]byte, 5), 0)
		require.ErrorIs(t, err, download.ErrChanged)
		require.NoError(t, s.Close())
	})
	t.Run("when it is here", func(t *testing.T) {
		meta := r.remoteMeta("g")
		r.locked(func() { n.Meta = meta })
		require.NoError(t, r.fetch(n))
		s := &Stream{set: r.set, ctx: r.ctx, node: n, path: "file", expected: e}
		require.ErrorIs(t, s.settle(download.ErrSuperseded), download.ErrChanged)
	})
}

func TestOpenEndsWithItsContext(t *testing.T) {
	t.Parallel()
	opened := make(chan struct{})
	plan := new(faultfs.Plan)
	r := newRig(t, func(base afero.Fs) afero.Fs { return faultfs.New(base, plan) }, Options{})
	n := r.node("file")
	plan.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Open {
			<-opened
		}
		return nil
	})
	ctx, cancel := context.WithTimeout(r.ctx, 10*time.Millisecond)
	defer cancel()
	s, err := r.set.Open(ctx, n, "file", r.expect(n), func(bool) bool { return false })
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Nil(t, s)
	close(opened)
}
