package syncfs

import (
	"context"
	"io"
	"io/fs"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/link"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// Close ends a Push and awaits it, whichever request of the remote it waits for: nothing is sent afterwards, all is queued,
// and another Fs on the same directory pushes it.
func TestCloseEndsAndAwaitsPush(t *testing.T) {
	t.Parallel()
	for _, kind := range []faultfs.Kind{faultfs.Lstat, faultfs.Open, faultfs.Write, faultfs.Rename} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.write("dir/", "dir/a", "b", "c")
			hung, release := r.hangAt(kind)
			pushed := make(chan error, 1)
			go func() { pushed <- second(r.push()) }()
			<-hung

			closed := make(chan error, 2)
			for range cap(closed) {
				go func() { closed <- r.fs.Close() }()
			}
			for range cap(closed) {
				require.NoError(t, <-closed)
			}
			sent := r.plan.Total()
			require.ErrorIs(t, <-pushed, fs.ErrClosed)
			require.Equal(t, sent, r.plan.Total(), "requests after Close")
			release()

			r.start()
			require.NotEmpty(t, r.pending())
			require.NoError(t, second(r.push()))
			require.Empty(t, aferotest.Diff(r.view(), r.served()))
		})
	}
}

// hangAt has the first operation of that kind on the remote hang, and says when it does.
func (r *rig) hangAt(kind faultfs.Kind) (hung chan struct{}, release func()) {
	hung, goOn := make(chan struct{}), make(chan struct{})
	var hangs atomic.Bool
	r.plan.Before(func(op faultfs.Op) error {
		if op.Kind == kind && hangs.CompareAndSwap(false, true) {
			close(hung)
			<-goOn
		}
		return nil
	})
	return hung, func() { close(goOn) }
}

// Every other call that may be under way ends, too.
func TestCloseEndsOtherCalls(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, call := range map[string]struct {
		at   faultfs.Kind
		call func(*Fs) error
	}{
		"Plan":  {faultfs.Lstat, func(s *Fs) error { return second(s.Plan(ctx)) }},
		"Pull":  {faultfs.Open, func(s *Fs) error { return second(s.Pull(ctx, "/")) }},
		"Fetch": {faultfs.Open, func(s *Fs) error { return s.Fetch(ctx, "theirs") }},
		"Pin":   {faultfs.Open, func(s *Fs) error { return s.Pin(ctx, "theirs") }},
		"Stat":  {faultfs.Lstat, func(s *Fs) error { return second(s.Stat("theirs")) }},
		"WithContext": {faultfs.Lstat, func(s *Fs) error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			return second(s.WithContext(ctx).Stat("theirs"))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.serve("theirs")
			r.write("ours")
			hung, release := r.hangAt(call.at)
			ended := make(chan error, 1)
			go func() { ended <- call.call(r.fs) }()
			<-hung
			require.NoError(t, r.fs.Close())
			require.ErrorIs(t, <-ended, fs.ErrClosed)
			release()
			r.start()
			r.pushes()
		})
	}
}

// Discard, and another Push, wait for the Push that is under way.
func TestCloseEndsCallsThatWaitForAPush(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.write("ours")
	hung, release := r.hangAt(faultfs.Rename)
	ended := make(chan error)
	go func() { ended <- second(r.push()) }()
	<-hung
	go func() { ended <- second(r.push()) }()
	go func() { ended <- r.fs.Discard() }()
	require.NoError(t, r.fs.Close())
	for range 3 {
		require.ErrorIs(t, <-ended, fs.ErrClosed)
	}
	release()
	r.start()
	r.pushes()
}

// What a program gives to this package to be called may call Close.
func TestCloseFromCallbacks(t *testing.T) {
	t.Parallel()
	for name, from := range map[string]func(r *rig, closeIt func()) error{
		"Resolve": func(r *rig, closeIt func()) error {
			r.opts.Resolve = func(Conflict) ConflictPolicy { closeIt(); return Overwrite }
			r.restart()
			return second(r.push())
		},
		"Progress": func(r *rig, closeIt func()) error {
			r.opts.Cache.Progress = func(cachefs.Progress) { closeIt() }
			r.restart()
			_, _ = r.push() // the last report may be the first
			return second(r.push())
		},
		"AddDir": func(r *rig, closeIt func()) error {
			return r.fs.AddDir("/", func(string) { closeIt() })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, &Options{})
			r.serve("f:old")
			r.fetch("f")
			r.write("f:ours")
			r.serve("f:theirs, which is longer")
			r.place("put", "there", "by hand/", "by hand/f")
			err := from(r, func() { require.NoError(r, r.fs.Close()) })
			require.ErrorIs(t, err, fs.ErrClosed)
			require.NoError(t, r.fs.Close()) // waits for the one in the callback
			r.opts.Resolve, r.opts.Cache.Progress = nil, nil
			r.start()
			require.Contains(t, r.pending(), "put f")
			got, err := afero.ReadFile(r.remote, "f")
			require.NoError(t, err)
			require.Equal(t, "theirs, which is longer", string(got))
		})
	}
}

// A file that reads what it sends itself is left to itself like any other call, and reads no more.
func TestCloseDuringReadFrom(t *testing.T) {
	t.Parallel()
	hung, goOn := make(chan struct{}), make(chan struct{})
	local := realDir(t)
	remote := copying{aferotest.OS(t.TempDir()), func() { close(hung); <-goOn }}
	s, err := New(remote, local, nil)
	require.NoError(t, err)
	require.NoError(t, afero.WriteFile(s, "f", make([]byte, 4<<20), 0o644))
	pushed := make(chan error, 1)
	go func() { pushed <- second(s.Push(context.Background())) }()
	<-hung
	require.NoError(t, s.Close())
	require.ErrorIs(t, <-pushed, fs.ErrClosed)
	close(goOn)

	s, err = New(aferotest.OS(t.TempDir()), local, nil)
	require.NoError(t, err)
	require.Len(t, s.Pending(), 1)
	require.NoError(t, s.Close())
}

// copying is a remote whose files read what is written to them by themselves. between is called after the first read.
type copying struct {
	afero.Fs
	between func()
}

func (c copying) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	f, err := c.Fs.OpenFile(name, flag, perm)
	return copyingFile{f, c.between}, err
}

type copyingFile struct {
	afero.File
	between func()
}

func (f copyingFile) ReadFrom(r io.Reader) (n int64, err error) {
	buf := make([]byte, 1<<20)
	for between := f.between; err == nil; between = func() {} {
		var m int
		m, err = r.Read(buf)
		n += int64(m)
		between()
	}
	if err == io.EOF {
		err = nil
	}
	return n, err
}

// Over SFTP, too, in the middle of an upload on a connection that is silent.
func TestCloseDuringUploadOverSFTP(t *testing.T) {
	t.Parallel()
	server, err := sftptest.New(nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	config := server.Config()
	l, err := link.New(config.Addr, link.Options{Bandwidth: 16 << 20})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	config.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, l.Addr())
	}
	remote, err := sftpfs.New(config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, remote.Close()) })
	local, content := realDir(t), make([]byte, 16<<20)
	frozen := make(chan struct{})
	var once sync.Once
	s, err := New(remote, local, &Options{Cache: cachefs.Options{Progress: func(p cachefs.Progress) {
		if p.Bytes > 0 {
			once.Do(func() {
				l.Freeze()
				close(frozen)
			})
		}
	}}})
	require.NoError(t, err)
	require.NoError(t, afero.WriteFile(s, "f", content, 0o644))
	pushed := make(chan error, 1)
	go func() { pushed <- second(s.Push(context.Background())) }()
	select {
	case <-frozen:
		require.NoError(t, s.Close())
		require.ErrorIs(t, <-pushed, fs.ErrClosed)
	case err := <-pushed: // it was too fast
		require.NoError(t, err)
		require.NoError(t, s.Close())
	}
	l.Thaw()
	s, err = New(remote, local, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, second(s.Push(context.Background())))
	got, err := afero.ReadFile(remote, "f")
	require.NoError(t, err)
	require.Equal(t, len(content), len(got))
}
