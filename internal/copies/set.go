package copies

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/download"
	"github.com/sftpsyncer/go-syncfs/internal/inflight"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/localstore"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/remoteclock"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Options set up a Set. All but the two bounds are required.
type Options struct {
	Lock   sync.Locker // guards the tree, and the Set
	Local  *localdir.Dir
	Remote *remote.Remote
	Limits inflight.Limits
	Clock  *remoteclock.Clock
	Logger *slog.Logger
	Now    func() time.Time

	MaxBytes       int64 // bound on the bytes of all copies and downloads; 0: none
	FillAfterClose int64 // bytes that may be missing at the last close for the rest to be fetched; 0: see fills; < 0: never

	// Until ends at Close, with Lock held. Close waits for the functions that Go runs.
	Until context.Context
	Go    func(func())
	// BeingWritten reports whether the program has the remote's file under a path open for writing. Called with Lock held.
	BeingWritten func(path string) bool
	// Verify compares a copy with its local file, whose stamps are not the recorded ones, and records what that is: the
	// copy, or an edit. It reads the file. Called without Lock.
	Verify func(ctx context.Context, name string)
	// RemoteChanged is called, with Lock held, when the remote has, or may have, changed.
	RemoteChanged func()
}

// Set manages the copies of one local directory.
type Set struct {
	Options
	Counted   Counters
	downloads *download.Store

	// Lock guards the rest.
	tree      *tree.Tree
	store     *localstore.Store
	ledger    *download.Ledger
	overfull  bool                // there may be more bytes than MaxBytes
	joinable  map[tree.ID]*shared // downloads that others may join
	running   map[*shared]bool    // downloads that have not ended
	quiescing map[*quiescence]bool
	stillness int           // how many Stillness hold
	released  chan struct{} // closed when that becomes 0
	starts    uint64        // downloads that have begun
}

// Counters count what a Set has done.
type Counters struct{ Waits, Fetches, FetchedBytes, Evictions, EvictedBytes atomic.Int64 }

// New returns a Set, to be used after Restore.
func New(o Options) *Set {
	s := &Set{Options: o, ledger: download.NewLedger(o.Local), joinable: map[tree.ID]*shared{}, running: map[*shared]bool{},
		quiescing: map[*quiescence]bool{}}
	s.downloads = download.NewStore(o.Local, o.Logger, o.Now, &s.Counted.FetchedBytes)
	return s
}

// Restore adopts the tree, whose changes are recorded in store, and the partial files of earlier downloads.
func (set *Set) Restore(store *localstore.Store) error {
	set.store, set.tree = store, store.Tree()
	return set.ledger.Restore(set.Started)
}
