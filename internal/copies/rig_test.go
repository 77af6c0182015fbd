package copies

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
	"github.com/sftpsyncer/go-syncfs/internal/inflight"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/localstore"
	"github.com/sftpsyncer/go-syncfs/internal/lockorder"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/remoteclock"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// large takes several reads to fetch.
var large = bytes.Repeat([]byte("0123456789abcdef"), 10_000)

type treeLock struct{}

func (treeLock) Rank() int   { return 5 }
func (treeLock) Waits() bool { return false }

// rig is a Set as a mirror has it: with a tree, a store, and a lock.
type rig struct {
	require.TestingT
	ctx     context.Context
	base    afero.Fs // what the remote has
	disk    afero.Fs // what the local directory has
	options Options

	mu      lockorder.Mutex[treeLock]
	workers sync.WaitGroup
	stop    context.CancelFunc
	local   *localdir.Dir
	store   *localstore.Store
	tree    *tree.Tree
	set     *Set
	written map[string]bool
	changed int // calls of RemoteChanged
}

type tester interface {
	require.TestingT
	Context() context.Context
	Cleanup(func())
}

// newRig returns one with a large file on the remote. over wraps the remote, options has what is not the default.
func newRig(t tester, over func(afero.Fs) afero.Fs, options Options) *rig {
	r := &rig{TestingT: t, ctx: t.Context(), base: crashfs.New(nil), disk: crashfs.New(nil), options: options,
		written: map[string]bool{}}
	r.put("file", string(large))
	require.NoError(t, r.open(over(r.base), r.disk))
	t.Cleanup(r.close)
	return r
}

func plain(remote afero.Fs) afero.Fs { return remote }

// open begins, as a process does that has just been started.
func (r *rig) open(base, disk afero.Fs) (err error) {
	if r.local, err = localdir.Open(disk); err != nil {
		return err
	}
	recorded, err := localstore.ReadDirectory(r.local)
	until, stop := context.WithCancel(r.ctx)
	o := r.options
	o.Lock, o.Local, o.Remote = &r.mu, r.local, remote.New(until, base)
	o.Limits, o.Clock, o.Logger, o.Now = inflight.Limits{Remote: base}, remoteclock.New(time.Now), slog.New(slog.DiscardHandler), time.Now
	o.Until, o.Go = until, r.workers.Go
	o.BeingWritten = func(path string) bool { return r.written[path] }
	if o.Verify == nil {
		o.Verify = r.verify
	}
	o.RemoteChanged = func() { r.changed++ }
	r.set, r.stop = New(o), stop
	if err == nil {
		r.store, err = localstore.Open(r.local, recorded, localstore.Options{Logger: o.Logger, Now: o.Now, Found: r.set.Started})
	}
	if err == nil {
		r.tree = r.store.Tree()
		if err = r.set.Restore(r.store); err == nil {
			err = r.store.Begin("remote")
		}
		if err != nil {
			_ = r.store.Close()
		}
	}
	if err != nil {
		stop()
		_ = r.local.Close()
		r.local = nil
	}
	return err
}

// verify records a copy's new stamps if its bytes are still those of the remote, and an edit otherwise.
func (r *rig) verify(_ context.Context, name string) {
	here, info := r.onDisk(name), r.stamp(name)
	there, err := afero.ReadFile(r.base, "/"+name)
	require.NoError(r, err)
	r.locked(func() {
		n := r.tree.Lookup(name)
		c := n.Copy()
		c.Stamp = info
		if bytes.Equal(here, there) {
			r.tree.Own(n, c)
		} else {
			r.tree.MarkEdited(n, c)
		}
		require.NoError(r, r.store.Save())
	})
}

func (r *rig) stamp(name string) tree.Stamp {
	info, err := r.local.Lstat(name)
	require.NoError(r, err)
	return tree.Stamp(info.Stamp)
}

// close ends what is under way.
func (r *rig) close() {
	if r.local == nil {
		return
	}
	r.locked(func() { r.stop() })
	r.workers.Wait()
	_ = r.store.Close()
	_ = r.local.Close()
	r.local = nil
}

// locked calls do with the lock of the tree.
func (r *rig) locked(do func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	do()
}

func (r *rig) put(name, content string) {
	require.NoError(r, afero.WriteFile(r.base, "/"+name, []byte(content), 0o644))
}

// node is the node of a file in the root, as the remote has it now.
func (r *rig) node(name string) *tree.Node {
	n, err := r.tryNode(name)
	require.NoError(r, err)
	return n
}

func (r *rig) tryNode(name string) (n *tree.Node, err error) {
	a := remote.New(r.ctx, r.base).Ask(name)
	require.NoError(r, a.Err)
	r.locked(func() {
		if n = r.tree.Lookup(name); n != nil {
			r.tree.Edit(n)
			if n.Content() == tree.Owned && !n.Meta.SameVersion(a.Meta) {
				r.tree.MarkStale(n)
			}
			n.Meta = a.Meta
			r.tree.Touch(n)
		} else {
			n = r.tree.Discover(r.tree.Root(), name, tree.File, a.Meta, 1)
		}
		err = r.store.Save()
	})
	return n, err
}

// expect is what a call that begins now expects of a node.
func (r *rig) expect(n *tree.Node) (e Expectation) {
	r.locked(func() { e = Expectation{Since: r.set.Starts(), Meta: n.Meta} })
	return e
}

func (r *rig) fetch(n *tree.Node) error { return r.set.Fetch(r.ctx, nil, n, r.expect(n)) }

// stream opens a file that is to be fetched.
func (r *rig) stream(n *tree.Node) *Stream {
	s, err := r.set.Open(r.ctx, n, "file", r.expect(n), func(bool) bool { return false })
	require.NoError(r, err)
	require.NotNil(r, s)
	return s
}

func readAll(s *Stream) ([]byte, error) { return io.ReadAll(&reader{s: s}) }

// reader reads a stream from the start.
type reader struct {
	s   *Stream
	off int64
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.s.ReadSome(p, r.off)
	r.off += int64(n)
	return n, err
}

// onDisk is a local file; nil if there is none.
func (r *rig) onDisk(name string) []byte {
	content, err := afero.ReadFile(r.disk, "/"+name)
	if err != nil {
		return nil
	}
	return content
}

// requireClean requires that no temporary file is left, and what requireCounted does.
func (r *rig) requireClean() {
	left, err := afero.ReadDir(r.disk, "/"+localdir.TmpDir)
	require.NoError(r, err)
	require.Empty(r, left, "a temporary file was left")
	r.requireCounted()
}

// requireCounted requires that the bytes in use are those of the copies and partial files on the disk.
func (r *rig) requireCounted() {
	r.locked(func() {
		want, err := aferotest.Used(r.disk, localdir.PartialDir, func(name string) bool {
			n := r.tree.Lookup(name)
			return n != nil && n.Content() == tree.Owned
		})
		require.NoError(r, err)
		require.Equal(r, want, r.set.Used())
	})
}

// remoteMeta is the version that the remote has of a file.
func (r *rig) remoteMeta(name string) tree.Meta { return remote.New(r.ctx, r.base).Ask(name).Meta }

// settle waits for what goes on by itself.
func (r *rig) settle() { r.workers.Wait() }
