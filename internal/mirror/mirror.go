package mirror

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/copies"
	"github.com/sftpsyncer/go-syncfs/internal/inflight"
	"github.com/sftpsyncer/go-syncfs/internal/listcache"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/localstore"
	"github.com/sftpsyncer/go-syncfs/internal/lockorder"
	"github.com/sftpsyncer/go-syncfs/internal/progress"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/remoteclock"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Always as Options.Revalidate asks the remote at every open.
const Always time.Duration = -1

// Options set up a mirror. The zero value is the default.
type Options struct {
	Revalidate time.Duration // age at which a copy is revalidated; 0: never; Always: at every open

	StaleIfUnavailable bool          // serve the copy if the remote can't be asked
	MaxBytes           int64         // bound on bytes of copies and downloads; 0: none
	FillAfterClose     int64         // see cachefs.Options; 0: see copies; < 0: never
	ListTTL            time.Duration // how long listings are reused; 0: listcache.DefaultTTL; < 0: never
	Parallel           int           // files that Pull downloads at once; 0: see inflight.Limits
	Progress           func(progress.Progress)
	Logger             *slog.Logger // nil: silent
	Now                func() time.Time
	AdoptRemote        bool // accept a local directory that was used for another remote
}

// FS is a mirror, bound to a context. Safe for concurrent use.
type FS struct {
	*state
	ctx    context.Context
	remote *remote.Remote  // bound to ctx
	meter  *progress.Meter // of the current call; nil: no reports
}

// state is shared by all FS of one mirror.
type state struct {
	local  *localdir.Dir
	opt    Options
	limits inflight.Limits
	clock  *remoteclock.Clock

	stop    context.Context // ends at Close
	cancel  context.CancelFunc
	workers sync.WaitGroup

	// mu guards the fields below. While it is held, tree and local directory agree.
	mu       lockorder.Mutex[stateLock]
	tree     *tree.Tree
	store    *localstore.Store // of the tree
	copies   *copies.Set
	lists    *listcache.Cache
	epoch    uint64 // counts changes of the remote; answers from an earlier epoch are not used
	open     map[tree.ID]*openFile
	openDirs map[tree.ID]int
	// usersOpen maps each handle that may write a user's file to the local name of that file; "" if the file has no
	// name any more.
	usersOpen map[*opened]string
	writing   map[*remoteWrite]bool

	hits, misses atomic.Int64  // see Stats
	released     chan struct{} // closed at the end of Close
}

// Open opens a mirror over a local directory, which must exist, and restores the recorded state. The error matches
// fs.ErrNotExist if the directory is missing, localdir.ErrLocked if it is in use, fs.ErrInvalid if an argument is
// invalid, and ErrRemoteChanged if the directory was used for another remote and opt.AdoptRemote is not set.
func Open(base, local afero.Fs, opt Options) (*FS, error) {
	if base == nil || local == nil {
		return nil, fmt.Errorf("%w: no remote or no local file system given", fs.ErrInvalid)
	}
	if opt.Revalidate < Always || opt.MaxBytes < 0 || opt.Parallel < 0 {
		return nil, fmt.Errorf("%w: negative option", fs.ErrInvalid)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	dir, err := localdir.Open(local)
	if err != nil {
		return nil, err
	}
	recorded, err := localstore.ReadDirectory(dir)
	var identity string
	var adopted bool
	if err == nil {
		identity, adopted, err = identify(recorded, base, opt.AdoptRemote)
	}
	if err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	s := &state{
		local: dir, opt: opt, limits: inflight.Limits{Remote: base, Parallel: opt.Parallel}, clock: remoteclock.New(opt.Now),
		lists: listcache.New(opt.ListTTL, opt.Now().UnixNano()),
		open:  map[tree.ID]*openFile{}, openDirs: map[tree.ID]int{}, usersOpen: map[*opened]string{},
		writing: map[*remoteWrite]bool{}, released: make(chan struct{}),
	}
	s.stop, s.cancel = context.WithCancel(context.Background())
	ctx := s.untilClose(context.Background())
	m := &FS{state: s, ctx: ctx, remote: remote.New(ctx, base)}
	s.copies = copies.New(copies.Options{
		Lock: &s.mu, Local: dir, Remote: m.remote, Limits: s.limits, Clock: s.clock, Logger: opt.Logger, Now: opt.Now,
		MaxBytes: opt.MaxBytes, FillAfterClose: opt.FillAfterClose,
		Until: s.stop, Go: s.workers.Go, BeingWritten: s.written, Verify: m.verifyCopy,
		RemoteChanged: func() { m.view().RemoteChanged() },
	})
	if err := m.restore(recorded, identity, adopted); err != nil {
		s.cancel()
		return nil, errors.Join(err, dir.Close())
	}
	return m, nil
}

// restore loads the records of the local directory. identity is the identity of the remote; adopted is set if the
// directory was used for another one.
func (m *FS) restore(recorded *localstore.Directory, identity string, adopted bool) error {
	store, err := localstore.Open(m.local, recorded, localstore.Options{Logger: m.opt.Logger, Now: m.opt.Now, Found: m.copies.Started})
	if err != nil {
		return err
	}
	m.store, m.tree = store, store.Tree()
	if err = m.copies.Restore(store); err == nil {
		if adopted {
			m.view().Doubt(".")
		}
		err = store.Begin(identity)
	}
	if err != nil {
		return errors.Join(err, store.Close())
	}
	m.copies.Bound()
	return nil
}

// Damage returns an error that describes the damage of the state that Open found; nil if there is none.
func (m *FS) Damage() error { return m.store.Damage() }

// SyncLog syncs the log, so that everything recorded before the call survives a loss of power.
func (m *FS) SyncLog() error { return m.store.Sync() }

// DiscardedName returns a new name for a file that leaves the view without being deleted. No name is returned twice.
func (m *state) DiscardedName() string { return m.store.DiscardedName() }

// TrashName returns a new name for a file that will be deleted once that is recorded. No name is returned twice.
func (m *state) TrashName() string { return m.store.TrashName() }

// RecordsLost reports whether records of the local directory were lost. If so, an apparent user's file may be a copy.
func (m *state) RecordsLost() bool { return m.store.Lost() }

// Logger returns the logger for background events.
func (m *state) Logger() *slog.Logger { return m.opt.Logger }

// Name returns the name of the remote, for messages.
func (m *FS) Name() string { return m.remote.Base().Name() }

// Context returns the context that the calls of m end with.
func (m *FS) Context() context.Context { return m.ctx }

// Local returns the local directory.
func (m *state) Local() *localdir.Dir { return m.local }

// Remote returns the remote, bound to m's context.
func (m *FS) Remote() *remote.Remote { return m.remote }

// Tidy deletes empty local directories from dir upwards, if they exist because of copies.
func (v *View) Tidy(dir *tree.Node) { v.copies.Tidy(dir) }

// Own makes the local bytes of a node a copy.
func (v *View) Own(n *tree.Node, c tree.Copy) { v.copies.Own(n, c) }

// Quiesce runs do, which changes the remote and may remove what is at some paths and below them. Afterwards, other
// calls ask again what they asked before. If m's context ends before do has begun, Quiesce returns the error of the
// context.
func (m *FS) Quiesce(do func() error, paths ...string) error {
	return m.awaited(func() error { return m.copies.Quiesce(m.ctx, do, paths...) })
}

// Alter runs do, which changes the version of the file at a path: its content or only its time. Before that, it
// completes the downloads of the old version that have readers, unless more than 64 MiB are missing. Later opens wait
// until do has returned.
func (m *FS) Alter(do func() error, path string) error {
	return m.awaited(func() error { return m.copies.Alter(m.ctx, do, path) })
}

// Limits returns the limits of what is in flight at once.
func (m *state) Limits() inflight.Limits { return m.limits }

// Clock returns what is known about the server's clock.
func (m *state) Clock() *remoteclock.Clock { return m.clock }

// Options returns the options in force. Logger and Now are set.
func (m *FS) Options() Options { return m.opt }

// Now returns the time in nanoseconds since 1970.
func (m *state) Now() int64 { return m.opt.Now().UnixNano() }

func (m *state) closed() bool { return m.stop.Err() != nil }

// Close cancels the calls and downloads in flight, waits for them, and releases the local directory. Later calls fail
// with fs.ErrClosed. A second Close waits for the first one.
func (m *FS) Close() error {
	m.mu.Lock()
	closed := m.closed()
	m.cancel() // under the lock, so that Close waits for everything that has begun
	m.mu.Unlock()
	if closed {
		<-m.released
		return nil
	}
	defer close(m.released)
	m.workers.Wait() // from now on nothing is recorded
	return errors.Join(m.store.Close(), m.local.Close())
}
