package syncfs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/oserr"
	"github.com/sftpsyncer/go-syncfs/internal/progress"
)

// Errors found with errors.Is.
var (
	// ErrUnavailable: the remote gave no answer, and what was asked for is not here. Never also fs.ErrNotExist.
	ErrUnavailable = cachefs.ErrUnavailable
	// ErrConflict: the remote has another version than the one that the change was made to.
	ErrConflict = errors.New("changed on the remote")
	// ErrLocked: another Fs holds the local directory.
	ErrLocked = cachefs.ErrLocked
	// ErrBusy: the file is open and being written, or was when the process died; or it changed during the push; or another
	// program has written to it after it was queued.
	ErrBusy = cachefs.ErrBusy
	// ErrRemoteChanged: the local directory was used for another remote; see cachefs.RemoteChangedError.
	ErrRemoteChanged = cachefs.ErrRemoteChanged
)

// Options of an Fs. The zero value, and a nil pointer, are the defaults.
type Options struct {
	// Cache says how copies of the remote's files are kept. Its Parallel is also the number of files that Push
	// sends at once, its Progress, Logger and Now serve the whole Fs.
	Cache cachefs.Options
	// Conflict says what Push does about all conflicts, Resolve about each. Resolve is called by Push, for one conflict
	// at a time; it must not call Push or Discard, but may call Close. nil: Conflict holds.
	Conflict ConflictPolicy
	Resolve  func(Conflict) ConflictPolicy
	// RetryFor is how long Push tries again, with growing pauses, while the remote gives no answer and nothing more
	// gets there; an attempt that is under way may take longer. 0: 10 s; negative: it does not try again.
	RetryFor time.Duration
	// Verify has Push read back what it has sent, and compare it before it is published. Without it the length is
	// checked.
	Verify bool
	// SyncRemote has Push sync what it has sent to the remote's disk before it is published, where the remote can
	// (see Result.Synced).
	SyncRemote bool
}

// Fs is a remote directory with a local one in front of it. Safe for concurrent use.
type Fs struct {
	m *mirror.FS
	*shared
	// Of the Push that this is for:
	judge *judge
	meter *progress.Meter
	ahead *ahead
}

// shared is what an Fs and those made of it by WithContext have in common.
type shared struct {
	conflict   ConflictPolicy
	onConflict func(Conflict) ConflictPolicy
	retryFor   time.Duration
	verify     bool
	syncRemote bool
	logger     *slog.Logger
	block      int64         // bytes from one place from which an upload can go on to the next
	pushing    chan struct{} // holds a token while a Push or Discard runs
	parents    chan struct{} // holds a token while a step looks for the directory it needs
	timing     sync.Mutex    // held while the time of the remote is found out
}

var (
	_ afero.Fs        = (*Fs)(nil)
	_ afero.Symlinker = (*Fs)(nil)
)

// New returns an Fs over a remote and a local directory, whose root must exist. It does not use the remote. What an
// earlier Fs on the same local directory had queued is queued.
//
// The error matches fs.ErrNotExist if the local root is missing, ErrLocked if another Fs holds it, fs.ErrPermission if
// somebody else may have written into .syncfs, fs.ErrInvalid if an option is out of range, ErrRemoteChanged if the local directory was used for another remote (see cachefs.New;
// Options.Cache.AdoptRemote takes it over).
func New(remote, local afero.Fs, opts *Options) (*Fs, error) {
	if opts == nil {
		opts = &Options{}
	}
	if opts.Conflict > KeepBoth {
		return nil, fmt.Errorf("%w: unknown conflict policy %d", fs.ErrInvalid, opts.Conflict)
	}
	m, err := mirror.Open(remote, local, mirror.Options(opts.Cache))
	if err != nil {
		return nil, err
	}
	return &Fs{m: m, shared: &shared{
		conflict:   opts.Conflict,
		onConflict: opts.Resolve,
		retryFor:   cmp.Or(opts.RetryFor, defaultRetryFor),
		verify:     opts.Verify,
		syncRemote: opts.SyncRemote,
		logger:     m.Options().Logger,
		block:      defaultBlock,
		pushing:    make(chan struct{}, 1),
		parents:    make(chan struct{}, 1),
	}}, nil
}

// Close ends the calls that are under way, waits for them, and releases the local directory. It does not push: what is
// queued stays queued, and what is open for writing is reported as interrupted by the next Fs. A call that it ends, and
// calls after it, fail with fs.ErrClosed. A request that has been sent to the remote may still be executed; the next Push
// finds out. Another Close waits for the first one.
//
// Options.Resolve, Options.Cache.Progress and the function given to AddDir may call Close: it does not wait for them.
// Options.Cache.Logger must not.
func (s *Fs) Close() error { return s.m.Close() }

// WithContext returns the same Fs, whose calls end when ctx does. It is passed on to a remote that has a
// WithContext(context.Context) afero.Fs of its own; a call to another remote is left to itself, with its goroutine.
func (s *Fs) WithContext(ctx context.Context) afero.Fs { return s.with(ctx) }

func (s *Fs) with(ctx context.Context) *Fs { return &Fs{m: s.m.With(ctx), shared: s.shared} }

// Name is "syncfs".
func (s *Fs) Name() string { return "syncfs" }

// Damage says what was lost when New found the record of changes damaged, missing or cut off; nil if it was not. What is
// not known any more to be a copy or a change is taken for a file of the user's; nothing is deleted, and what is changed or
// removed of it is a conflict if the remote has another content. Not noticed is that all of .syncfs was deleted, or that
// records were cut off cleanly which a process that died has made.
func (s *Fs) Damage() error { return s.m.Damage() }

// Invalidate has the remote asked about a name and all below it before they are used next, whatever
// Options.Cache.Revalidate and ListTTL say. The copies stay, and so does what is queued.
func (s *Fs) Invalidate(name string) error {
	return oserr.Path("invalidate", name, s.m.Invalidate(name))
}

// Fetch makes sure that a whole copy of a file is in the local directory.
func (s *Fs) Fetch(ctx context.Context, name string) error {
	return oserr.Path("fetch", name, s.m.With(ctx).Fetch(name))
}

// Status looks up what is known of a name. That it is not there is cachefs.Absent, and no error. The remote is asked where
// Stat asks it; the error matches ErrUnavailable if it gives no answer. What is to be done to the remote is in Pending.
func (s *Fs) Status(name string) (cachefs.Status, error) {
	status, err := s.m.Status(name)
	return status, oserr.Path("status", name, err)
}

// Stats counts what the Fs has done since it was made, apart from pushing: a Push has a Report.
func (s *Fs) Stats() cachefs.Stats { return s.m.Stats() }

// Pin makes sure that the file is here, and keeps it: it is not evicted until Unpin. That lasts when the file is renamed,
// written or pushed, and for later Fs on the same local directory. It ends when the file is removed, or its copy deleted by
// hand.
func (s *Fs) Pin(ctx context.Context, name string) error {
	return oserr.Path("pin", name, s.m.With(ctx).Pin(name))
}

// Unpin takes a Pin back. One that is not pinned is no error.
func (s *Fs) Unpin(name string) error {
	return oserr.Path("unpin", name, s.m.Unpin(name))
}

// Evict deletes the local copy of a file of the remote's. One that is not here is no error. The error matches ErrBusy if it
// is open or pinned, or if a request of a push that got no answer may still be carried out, see "Requests in doubt";
// cachefs.ErrChanged if what is here is no copy: what is queued, and what is the user's, stays.
func (s *Fs) Evict(name string) error {
	return oserr.Path("evict", name, s.m.Evict(name))
}

// Pull fetches every file below a directory of which there is no copy, or one of another version than the remote has
// now. What was changed here stays. The files are fetched several at a time; one that fails does not stop the others.
// Links are left out. So are named pipes, sockets and devices, whose results have an error that matches
// errors.ErrUnsupported. The error joins those of the files and directories; of paths that are too long
// (syscall.ENAMETOOLONG), which a hostile server may have without end, it names one.
func (s *Fs) Pull(ctx context.Context, dir string) (Report, error) {
	if all(dir) {
		dir = "."
	}
	pulled, err := s.m.With(ctx).Pull(dir)
	var r Report
	for _, p := range pulled {
		r.add(Result{Change: Change{Op: Fetch, Name: p.Name, Size: p.Bytes}, Bytes: p.Bytes, Duration: p.Duration, Err: p.Err})
	}
	return r, err
}

func (s *Fs) now() int64 { return s.m.Now() }

// since is how long ago a time of now was.
func (s *Fs) since(start int64) time.Duration { return time.Duration(s.now() - start) }
