package mirror

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/download"
	"github.com/sftpsyncer/go-syncfs/internal/listcache"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/lockorder"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/statelog"
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
	Progress           func(Progress)
	Logger             *slog.Logger // nil: silent
	Now                func() time.Time
	AdoptRemote        bool // take over a local directory that was used for another remote
}

// FS is a mirror, bound to a context. Safe for concurrent use.
type FS struct {
	*state
	ctx    context.Context
	remote *remote.Remote // bound to ctx
	meter  *Meter         // of the call that this is for
}

// state is what all FS of one mirror share.
type state struct {
	local     *localdir.Dir
	opt       Options
	damage    error
	directory *directory // as recorded; nil: not yet

	stop    context.Context // ends at Close
	cancel  context.CancelFunc
	workers sync.WaitGroup

	// mu guards what follows, and the order of tree and local directory.
	mu         lockorder.Mutex[stateLock]
	tree       *tree.Tree
	log        *statelog.Log
	owed       [][]byte         // records that could not be appended yet
	appended   uint64           // the last transaction in the log
	live       int64            // size of the log after the last compaction
	compacting bool             // one is under way
	ledger     *download.Ledger // of downloads
	overfull   bool             // there may be more bytes than Options.MaxBytes
	lists      *listcache.Cache
	clock      clock
	epoch      uint64                // counts what was done on the remote; answers of an earlier one are asked again
	arrivals   map[tree.ID]*arrival  // those that may be joined
	running    map[*arrival]struct{} // all that have not ended
	open       map[tree.ID]*openFile
	openDirs   map[tree.ID]int
	// usersOpen are the handles on files of the user's that may be written, with the local names of the files; "" for
	// none.
	usersOpen  map[*File]string
	writing    map[*remoteWrite]bool
	displacing map[*displacement]bool
	vacated    map[string]uint64 // local names that have lost their bytes since the log was synced; "." means any
	vacations  uint64            // counts what was entered there: each has the number that it was then
	closed     bool

	renamed   renamed
	counted   counters
	downloads *download.Store

	released chan struct{} // closed at the end of Close

	starts   uint64 // arrivals that have begun
	discards uint64 // files of the user's that were moved to the trash
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
	recorded, err := readDirectory(dir)
	var now directory
	var adopted bool
	if err == nil {
		now.Remote, adopted, err = recorded.identify(base, opt.AdoptRemote)
	}
	if err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	s := &state{
		local: dir, directory: recorded, opt: opt,
		lists:    listcache.New(opt.ListTTL, opt.Now().UnixNano()),
		arrivals: map[tree.ID]*arrival{}, running: map[*arrival]struct{}{},
		writing:    map[*remoteWrite]bool{},
		displacing: map[*displacement]bool{}, released: make(chan struct{}),
		ledger: download.NewLedger(dir),
		open:   map[tree.ID]*openFile{}, openDirs: map[tree.ID]int{}, usersOpen: map[*File]string{},
		renamed: renamed{dirs: map[string]bool{}},
		vacated: map[string]uint64{".": 1}, vacations: 1, // what a process that died has not synced is read from the log all the same
	}
	s.downloads = download.NewStore(dir, opt.Logger, opt.Now, &s.counted.fetchedBytes)
	s.stop, s.cancel = context.WithCancel(context.Background())
	ctx := s.untilClose(context.Background())
	m := &FS{state: s, ctx: ctx, remote: remote.New(ctx, base)}
	if err := m.restore(now, adopted); err != nil {
		s.cancel()
		if m.log != nil {
			err = errors.Join(err, m.log.Close())
		}
		return nil, errors.Join(err, dir.Close())
	}
	return m, nil
}

// Damage is what is wrong with the state that was found by Open; nil if nothing is.
func (m *FS) Damage() error { return m.damage }

// Name of the file system, for messages.
func (m *FS) Name() string { return m.remote.Base().Name() }

// Context is what the calls of m end with.
func (m *FS) Context() context.Context { return m.ctx }

// Local is the local directory.
func (m *state) Local() *localdir.Dir { return m.local }

// Remote is the remote, bound to m's context.
func (m *FS) Remote() *remote.Remote { return m.remote }

// Options are those in force.
func (m *FS) Options() Options { return m.opt }

// Now is the time in nanoseconds since 1970.
func (m *state) Now() int64 { return m.opt.Now().UnixNano() }

// Close ends the calls and fetches that are under way, waits for them, and releases the local directory. Calls after it
// fail with fs.ErrClosed. Another Close waits for the first one.
func (m *FS) Close() error {
	m.mu.Lock()
	closed := m.closed
	m.closed = true
	m.mu.Unlock()
	if closed {
		<-m.released
		return nil
	}
	defer close(m.released)
	m.cancel()
	m.workers.Wait() // from now on nothing is recorded
	m.mu.Lock()
	err := m.settle()
	m.mu.Unlock()
	if err = errors.Join(err, m.syncNames(), m.log.Close()); err == nil {
		d := *m.directory
		d.Seq = m.appended
		if err := m.noteDirectory(d); err != nil { // a loss of these records will not be noticed
			m.opt.Logger.Warn("end of the log not noted", "err", err)
		}
	}
	return errors.Join(err, m.local.Close())
}
