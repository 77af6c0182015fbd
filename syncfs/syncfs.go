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

// Errors to be found with errors.Is.
var (
	// ErrUnavailable: the remote did not answer, and there is no local copy. Such an error never matches fs.ErrNotExist.
	ErrUnavailable = cachefs.ErrUnavailable
	// ErrConflict: the remote has another version than the one that the change was made to.
	ErrConflict = errors.New("changed on the remote")
	// ErrLocked: another Fs holds the local directory.
	ErrLocked = cachefs.ErrLocked
	// ErrBusy: the file is open for writing, or was when the process died; it changed during the push; or another program
	// has written to it after it was queued.
	ErrBusy = cachefs.ErrBusy
	// ErrRemoteChanged: the local directory was used for another remote; see cachefs.RemoteChangedError.
	ErrRemoteChanged = cachefs.ErrRemoteChanged
)

// Options configure an Fs. The zero value and a nil pointer select the defaults.
type Options struct {
	// Cache configures the local copies. Parallel is also the number of files that Push uploads at once. Progress, Logger
	// and Now serve the whole Fs.
	Cache cachefs.Options
	// Conflict is the policy for all conflicts. If Resolve is not nil, Push calls it for each conflict instead, one at a
	// time. Resolve may call Close, but neither Push nor Discard. When the context of Push ends, Push returns without the
	// answer, and the next one calls Resolve as soon as the earlier call has returned.
	Conflict ConflictPolicy
	Resolve  func(Conflict) ConflictPolicy
	// RetryFor is how long Push retries, with growing pauses, while the remote does not answer and no transfer makes
	// progress. An attempt that has begun may take longer. 0: 10 s; negative: Push does not retry.
	RetryFor time.Duration
	// Publish is how Push makes an upload visible under its final name.
	Publish Publish
	// TempName returns the path on the remote, relative to its root, of the temporary file of an upload to the path target.
	// It is for servers that hide names or refuse them, and may choose a suffix or a directory, which must exist:
	//
	//	func(target, id string) string { return target + "." + id + ".tmp" }
	//	func(target, id string) string { return "incoming/" + id + path.Ext(target) }
	//
	// The last element must contain id, which is a new one each time. Push fails with fs.ErrInvalid if it does not.
	// Temporary files with names of TempName are visible to other clients of the remote, also to an Fs there. TempName is
	// called by several goroutines at once. Nil: a name such as ".syncfs-0123456789abcdef.part" in the directory of target.
	TempName func(target, id string) string
	// Ordered makes changes of files visible on the remote in the order in which they were queued, for example a marker file
	// after its data. Files are still uploaded in parallel, and wait for their turn to be published (with PublishDirect they
	// are uploaded one by one). A change that fails holds back all later ones, and so does a file that is open for writing.
	// The order is that of the first change of each file since it was last pushed. Directories are made when they are needed.
	Ordered bool
	// Verify makes Push read back each upload and compare it before it is published. Without Verify, Push checks the length.
	Verify bool
	// SyncRemote makes Push sync each upload to the remote's disk before it is published, if the remote supports it (see
	// Result.Synced).
	SyncRemote bool
}

// Publish is how Push makes an upload visible under its final name.
type Publish uint8

// The ways to publish.
const (
	// PublishRename uploads a file under a temporary name, checks what has arrived, and renames it. Nobody ever sees a part
	// of a file.
	PublishRename Publish = iota
	// PublishDirect writes a file under its final name, with one open, write and close, in the order of its bytes. It is for
	// servers that take each file as soon as it is closed, that do not rename, or that refuse other names.
	//
	// Readers may see a part of the file, and so may the server, if the upload is interrupted. Then Push starts over. If an
	// earlier request for the file may still be executed, Push removes the file before it writes it anew. If the connection
	// is lost while the file is closed, and the server does not have the file afterwards, it may have taken it: the next
	// Push reports ErrConflict, and with the policy Overwrite sends the file again. If the program writes to a file while
	// it is sent, the server gets a part, and the whole file with the next Push.
	//
	// An upload counts as made when it was written and closed, also if the server has taken the file by then (Result.Taken),
	// or refuses to tell about it (Result.Unchecked). If it refuses to tell about the base of a change, that is a conflict.
	PublishDirect
)

// Fs is a remote directory with a local directory in front of it. It is safe for concurrent use.
type Fs struct {
	m *mirror.FS
	*shared
	// Set only in the Fs of one Push.
	judge *judge
	meter *progress.Meter
	ahead *ahead
	turns *turns // with Options.Ordered
}

// shared is the state that an Fs shares with those that WithContext returns.
type shared struct {
	conflict   ConflictPolicy
	onConflict func(Conflict) ConflictPolicy
	tempName   func(target, id string) string
	direct     bool
	ordered    bool
	retryFor   time.Duration
	verify     bool
	syncRemote bool
	logger     *slog.Logger
	block      int64         // bytes between the offsets from which an upload can be resumed
	pushing    chan struct{} // holds a token while a Push or Discard runs
	resolving  chan struct{} // holds a token while onConflict runs; a Push that has ended may have called it
	parents    chan struct{} // holds a token while a step looks for the directory it needs
	timing     sync.Mutex    // held while the time of the remote is being learned
	learned    learned
}

var (
	_ afero.Fs        = (*Fs)(nil)
	_ afero.Symlinker = (*Fs)(nil)
)

// New returns an Fs over a remote and a local directory. The root of local must exist. New does not use the remote. Changes
// that an earlier Fs has queued in the same local directory are still queued.
//
// The error matches fs.ErrNotExist if the root is missing, ErrLocked if another Fs uses it, fs.ErrInvalid if an option is
// out of range, fs.ErrPermission if other users could have written to .syncfs, and ErrRemoteChanged if the local directory
// was used for another remote (see cachefs.New; with Options.Cache.AdoptRemote, New accepts it).
func New(remote, local afero.Fs, opts *Options) (*Fs, error) {
	if opts == nil {
		opts = &Options{}
	}
	if opts.Conflict > KeepBoth {
		return nil, fmt.Errorf("%w: unknown conflict policy %d", fs.ErrInvalid, opts.Conflict)
	}
	if opts.Publish > PublishDirect {
		return nil, fmt.Errorf("%w: unknown way to publish %d", fs.ErrInvalid, opts.Publish)
	}
	m, err := mirror.Open(remote, local, mirror.Options(opts.Cache))
	if err != nil {
		return nil, err
	}
	return &Fs{m: m, shared: &shared{
		conflict:   opts.Conflict,
		onConflict: opts.Resolve,
		tempName:   opts.TempName,
		direct:     opts.Publish == PublishDirect,
		ordered:    opts.Ordered,
		retryFor:   cmp.Or(opts.RetryFor, defaultRetryFor),
		verify:     opts.Verify,
		syncRemote: opts.SyncRemote,
		logger:     m.Options().Logger,
		block:      defaultBlock,
		pushing:    make(chan struct{}, 1),
		resolving:  make(chan struct{}, 1),
		parents:    make(chan struct{}, 1),
	}}, nil
}

// Close cancels all calls, waits for them, and releases the local directory. It does not push: queued changes stay queued,
// and the next Fs reports files that are open for writing as interrupted. Cancelled calls and later calls fail with
// fs.ErrClosed. The remote may still execute a request that was sent before; the next Push finds out. A second Close waits
// for the first one.
//
// Options.Resolve, Options.Cache.Progress and the function given to AddDir may call Close. Options.Cache.Logger must not.
func (s *Fs) Close() error { return s.m.Close() }

// WithContext returns the same Fs with calls that end when ctx ends. A remote with a method WithContext(context.Context)
// afero.Fs gets the context, too. A call to any other remote is abandoned and goes on in its own goroutine.
func (s *Fs) WithContext(ctx context.Context) afero.Fs { return s.with(ctx) }

func (s *Fs) with(ctx context.Context) *Fs { return &Fs{m: s.m.With(ctx), shared: s.shared} }

// Name is "syncfs".
func (s *Fs) Name() string { return "syncfs" }

// Damage returns an error that describes what was lost if New found the records damaged, missing or truncated;
// otherwise nil. Files without a record are treated as files that the user put there. Nothing is deleted, and changing
// or removing such a file is a conflict if the remote has different content. Damage does not notice that all of .syncfs
// was deleted, or that the last records of a process that died were cut off exactly between two records.
func (s *Fs) Damage() error { return s.m.Damage() }

// Invalidate marks a name and everything below it for revalidation on next use, regardless of Options.Cache.Revalidate and
// ListTTL. Copies and queued changes stay.
func (s *Fs) Invalidate(name string) error {
	return oserr.Path("invalidate", name, s.m.Invalidate(name))
}

// Fetch downloads a file if there is no complete and current copy of it in the local directory.
func (s *Fs) Fetch(ctx context.Context, name string) error {
	return oserr.Path("fetch", name, s.m.With(ctx).Fetch(name))
}

// Status returns what is known about a name. A name that does not exist has State cachefs.Absent and is no error. Status
// asks the remote where Stat would; the error matches ErrUnavailable if the remote does not answer. Pending returns the
// queued changes.
func (s *Fs) Status(name string) (cachefs.Status, error) {
	status, err := s.m.Status(name)
	return status, oserr.Path("status", name, err)
}

// Stats counts what the Fs has done since New. It does not count pushes; each Push returns a Report.
func (s *Fs) Stats() cachefs.Stats { return s.m.Stats() }

// Pin downloads a file if there is no complete local copy, and protects the copy from eviction until Unpin. A pin survives
// renames, writes, pushes and restarts. It ends when the file is removed or its copy is deleted by hand.
func (s *Fs) Pin(ctx context.Context, name string) error {
	return oserr.Path("pin", name, s.m.With(ctx).Pin(name))
}

// Unpin reverts Pin. A file that is not pinned is no error.
func (s *Fs) Unpin(name string) error {
	return oserr.Path("unpin", name, s.m.Unpin(name))
}

// Evict deletes the local copy of a file. A file without a local copy is no error. The error matches ErrBusy if the file is
// open or pinned, or if a request in doubt may still need its content (see "Requests in doubt"). It matches
// cachefs.ErrChanged if the local file is not a copy: a queued change, or a file that the user put there.
func (s *Fs) Evict(name string) error {
	return oserr.Path("evict", name, s.m.Evict(name))
}

// Pull downloads every file below a directory that has no local copy, or a copy of an older version. Local changes stay.
// Pull downloads several files at a time, and a file that fails does not stop the others. It skips symbolic links. It also
// skips named pipes, sockets and devices; their results have an error that matches errors.ErrUnsupported. The returned error
// joins the errors of all files and directories. Of paths that are too long (syscall.ENAMETOOLONG), it contains only the
// first, because a hostile server may have any number of them.
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

// since returns the time since start, which is a time of now.
func (s *Fs) since(start int64) time.Duration { return time.Duration(s.now() - start) }
