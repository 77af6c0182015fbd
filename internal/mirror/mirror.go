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
	Revalidate time.Duration // 0: never; Always; else ask when that has passed since the last check

	StaleIfUnavailable bool          // use what is here when that is due and the remote gives no answer
	MaxBytes           int64         // bound on owned bytes kept locally, temporary ones included; 0: none
	FillAfterClose     int64         // what may be missing of a file to be fetched after its last close; 0: see fills; < 0: never
	ListTTL            time.Duration // how long lists, attributes and absences are used again; 0: listcache.DefaultTTL; < 0: not
	Parallel           int           // files fetched at once by Pull; 0: as Capacity and Weight say
	Progress           func(progress.Progress)
	Logger             *slog.Logger // nil: silent
	Now                func() time.Time
	AdoptRemote        bool // take over a local directory that was used for another remote
}

// FS is a mirror, bound to a context. Safe for concurrent use.
type FS struct {
	*state
	ctx    context.Context
	remote *remote.Remote  // bound to ctx
	meter  *progress.Meter // of the call that this is for
}

// state is what all FS of one mirror share.
type state struct {
	local  *localdir.Dir
	opt    Options
	limits inflight.Limits
	clock  *remoteclock.Clock

	stop    context.Context // ends at Close
	cancel  context.CancelFunc
	workers sync.WaitGroup

	// mu guards what follows, and the order of tree and local directory.
	mu       lockorder.Mutex[stateLock]
	tree     *tree.Tree
	store    *localstore.Store // of the tree
	copies   *copies.Set
	lists    *listcache.Cache
	epoch    uint64 // counts what was done on the remote; answers of an earlier one are asked again
	open     map[tree.ID]*openFile
	openDirs map[tree.ID]int
	// usersOpen are the handles on files of the user's that may be written, with the local names of the files; "" for
	// none.
	usersOpen map[*opened]string
	writing   map[*remoteWrite]bool

	hits, misses atomic.Int64  // see Stats
	released     chan struct{} // closed at the end of Close
}

// Open takes a local directory, which must exist, and restores what was recorded there. The error matches
// fs.ErrNotExist if the directory is missing, localdir.ErrLocked if it is in use.
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
		Until: s.stop, Go: s.workers.Go, BeingWritten: s.written, RemoteChanged: func() { m.view().RemoteChanged() },
	})
	if err := m.restore(recorded, identity, adopted); err != nil {
		s.cancel()
		return nil, errors.Join(err, dir.Close())
	}
	return m, nil
}

// restore takes what was recorded about the local directory. identity is that of the remote, adopted says that it was another
// one's.
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

// Damage is what is wrong with the state that was found by Open; nil if nothing is.
func (m *FS) Damage() error { return m.store.Damage() }

// SyncLog makes what was recorded before the call survive the loss of power.
func (m *FS) SyncLog() error { return m.store.Sync() }

// DiscardedName is a name for what is taken out of the program's sight and not deleted. None is used twice.
func (m *state) DiscardedName() string { return m.store.DiscardedName() }

// TrashName is a name for what is to be deleted once that is recorded. None is used twice.
func (m *state) TrashName() string { return m.store.TrashName() }

// RecordsLost says whether records of the local directory were lost: what is taken for the user's may be a copy.
func (m *state) RecordsLost() bool { return m.store.Lost() }

// Logger gets what happens behind the calls.
func (m *state) Logger() *slog.Logger { return m.opt.Logger }

// Name of the file system, for messages.
func (m *FS) Name() string { return m.remote.Base().Name() }

// Context is what the calls of m end with.
func (m *FS) Context() context.Context { return m.ctx }

// Local is the local directory.
func (m *state) Local() *localdir.Dir { return m.local }

// Remote is the remote, bound to m's context.
func (m *FS) Remote() *remote.Remote { return m.remote }

// Tidy deletes local directories that are empty, from dir upwards, as far as they are there because of the remote.
func (v *View) Tidy(dir *tree.Node) { v.copies.Tidy(dir) }

// Own makes the local bytes of a node a copy.
func (v *View) Own(n *tree.Node, c tree.Copy) { v.copies.Own(n, c) }

// Quiesce makes a change of the remote that takes away, or may, what is under some paths and below them. What calls have
// asked before it ended counts no more. If it ends with m's context before it was begun, the error is that of the context.
func (m *FS) Quiesce(do func() error, paths ...string) error {
	return m.awaited(func() error { return m.copies.Quiesce(m.ctx, do, paths...) })
}

// Alter makes a change of the remote after which the file under a path is another version: its content is written, or only
// its time is set. What is being read of it, and has not arrived yet, is here before that, if it is not much; the remote
// opens it for others afterwards.
func (m *FS) Alter(do func() error, path string) error {
	return m.awaited(func() error { return m.copies.Alter(m.ctx, do, path) })
}

// Limits are how much is in flight at once.
func (m *state) Limits() inflight.Limits { return m.limits }

// Clock is what is known about the server's clock.
func (m *state) Clock() *remoteclock.Clock { return m.clock }

// Options are those in force.
func (m *FS) Options() Options { return m.opt }

// Now is the time in nanoseconds since 1970.
func (m *state) Now() int64 { return m.opt.Now().UnixNano() }

func (m *state) closed() bool { return m.stop.Err() != nil }

// Close ends the calls and fetches that are under way, waits for them, and releases the local directory. Calls after it
// fail with fs.ErrClosed. Another Close waits for the first one.
func (m *FS) Close() error {
	m.mu.Lock()
	closed := m.closed()
	m.cancel() // under the lock: nothing begins that Close does not wait for
	m.mu.Unlock()
	if closed {
		<-m.released
		return nil
	}
	defer close(m.released)
	m.workers.Wait() // from now on nothing is recorded
	return errors.Join(m.store.Close(), m.local.Close())
}
