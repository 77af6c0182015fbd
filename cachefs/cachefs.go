package cachefs

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/oserr"
	"github.com/sftpsyncer/go-syncfs/internal/progress"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
)

// Errors found with errors.Is.
var (
	// ErrUnavailable: the remote gave no answer. Never also fs.ErrNotExist.
	ErrUnavailable = remote.ErrUnavailable
	// ErrBusy: the file is open or pinned, so its copy cannot be evicted.
	ErrBusy = mirror.ErrBusy
	// ErrChanged: the version of the file changed while it was being read or fetched, or the copy was edited.
	ErrChanged = mirror.ErrChanged
	// ErrLocked: another Fs holds the local directory.
	ErrLocked = localdir.ErrLocked
	// ErrRemoteChanged: the local directory was used for another remote.
	ErrRemoteChanged = mirror.ErrRemoteChanged
)

// RemoteChangedError is New's error if the local directory was used for another remote: Recorded was the identity of that
// one, Given is that of the new one. It matches ErrRemoteChanged. Options.AdoptRemote takes the directory over.
type RemoteChangedError = mirror.RemoteChangedError

// Always as Options.Revalidate asks the remote at every open.
const Always time.Duration = mirror.Always

// Options of an Fs. The zero value, and a nil pointer, are the defaults.
type Options struct {
	// Revalidate says when the remote is asked whether a copy is still its version. 0: never; Always: at every
	// open; d: when d has passed since the last check.
	Revalidate time.Duration
	// StaleIfUnavailable has a copy used when the remote has to be asked about it and gives no answer. Without it
	// that is ErrUnavailable.
	StaleIfUnavailable bool
	// MaxBytes bounds the bytes of the copies, those being fetched included. The least recently used are evicted
	// first, those that are open or pinned never; if nothing can go, a file is read on the remote. 0: no bound. So is a file
	// of more than 1 GiB if the local directory is an afero.MemMapFs.
	MaxBytes int64
	// FillAfterClose is how many bytes of a file may be missing at its last close for the rest to be fetched
	// nevertheless. If more are missing, the part that has arrived is kept until the file is opened again. 0: as many as
	// have arrived, so that the rest at most doubles what was transferred, and a file of up to 1 MiB is always fetched
	// whole; negative: nothing is fetched after the last close.
	FillAfterClose int64
	// ListTTL is how long a listing, the attributes in it and the absence of what is not in it may be used again.
	// Changes made through this Fs are visible at once, changes made by others after at most that time. Contents are not
	// concerned: opening a file that is not here reads what the remote has now, and whether a copy is compared at open is
	// up to Revalidate. While a program walks the tree (afero.Walk), the directories that come next are listed ahead of
	// it, up to 128 at a time; those lists are no older when they are used. Fetch, Pull and Pin do not believe that a
	// file is absent without asking. 0: 5 s; negative: the remote is asked by each call, and nothing is listed ahead.
	ListTTL time.Duration
	// Parallel is the number of files that Pull fetches at once. 0: as many as pays, 16 large files or 2,048 of less
	// than 16 KiB, which mostly wait for round trips (less where the process may have few open files).
	Parallel int
	// Progress is told how far a Fetch or Pull has got (of a syncfs.Fs: a Push too), at most ten times a second, and
	// once more when it ends, also if that is by an error. It is called from a goroutine of the call, which waits for
	// it to return at the end. Files that are fetched because they are opened are not reported. nil: nobody is told.
	Progress func(Progress)
	// Logger gets what happens behind the calls: evictions, edits found, damage. nil: nothing.
	Logger *slog.Logger
	// Now is the clock. nil: time.Now.
	Now func() time.Time
	// AdoptRemote has New take over a local directory that was used for another remote (see RemoteChangedError), which then
	// has another address, or is a copy. The copies stay, and the remote is asked about each before it is used next; what is
	// queued stays queued.
	AdoptRemote bool
}

// Progress says how far one call of Fetch or Pull has got.
type Progress = progress.Progress

// Transfer is one file under way.
type Transfer = progress.Transfer

// Fs reads a remote Fs through a local one. Safe for concurrent use.
type Fs struct {
	m *mirror.FS
}

var (
	_ afero.Fs        = (*Fs)(nil)
	_ afero.Symlinker = (*Fs)(nil)
)

// New returns an Fs that keeps copies of remote's files in local, whose root must exist. It does not use the remote.
// The error matches fs.ErrNotExist if the root is missing, ErrLocked if another Fs holds it, fs.ErrPermission if
// somebody else may have written into .syncfs: never use a directory that others have packed. It matches fs.ErrInvalid if an
// option is out of range, ErrRemoteChanged if the local directory was used for another remote. Remotes are told apart by
// their method Identity() string, which sftpfs.Fs has; one without it, or hidden by a wrapper like afero.BasePathFs, is
// neither recorded nor compared.
func New(remote, local afero.Fs, opts *Options) (*Fs, error) {
	if opts == nil {
		opts = &Options{}
	}
	m, err := mirror.Open(remote, local, mirror.Options(*opts))
	if err != nil {
		return nil, err
	}
	return &Fs{m}, nil
}

// Close ends the calls and fetches that are under way, waits for them, and releases the local directory. A call that it
// ends, and calls after it, fail with fs.ErrClosed. Another Close waits for the first one. Options.Progress may call
// Close, which does not wait for it; Options.Logger must not.
func (c *Fs) Close() error { return c.m.Close() }

// WithContext returns the same Fs, whose calls end when ctx does. It is passed on to a remote that has a
// WithContext(context.Context) afero.Fs of its own; a call to another remote is left to itself, with its goroutine.
func (c *Fs) WithContext(ctx context.Context) afero.Fs { return &Fs{c.m.With(ctx)} }

// Name is "cachefs".
func (c *Fs) Name() string { return "cachefs" }

// Damage says what was lost when New found the record of the copies damaged, missing or cut off; nil if it was not. The
// copies that are not known any more are taken for files of the user's. Not noticed is that all of .syncfs was deleted, or
// that records were cut off cleanly which a process that died has made.
func (c *Fs) Damage() error { return c.m.Damage() }

// Invalidate has the remote asked about a name and all below it before they are used next, whatever Revalidate and
// ListTTL say. The copies stay.
func (c *Fs) Invalidate(name string) error {
	return oserr.Path("invalidate", name, c.m.Invalidate(name))
}

// Open opens a file or directory for reading. See the package documentation for how a file is read that is not here.
func (c *Fs) Open(name string) (afero.File, error) { return c.OpenFile(name, os.O_RDONLY, 0) }

// Create creates or truncates a file on the remote.
func (c *Fs) Create(name string) (afero.File, error) {
	return c.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

// OpenFile opens a file: for reading the local copy, else the file on the remote.
func (c *Fs) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	if flag&(os.O_WRONLY|os.O_RDWR|os.O_CREATE|os.O_TRUNC) == 0 {
		f, err := c.m.OpenRead(name)
		if err != nil {
			return nil, oserr.Path("open", name, err)
		}
		return f, nil
	}
	f, err := c.openRemote(name, flag, perm)
	if err != nil {
		return nil, oserr.Path("open", name, err)
	}
	return f, nil
}

func (c *Fs) openRemote(name string, flag int, perm fs.FileMode) (afero.File, error) {
	const exclusive = os.O_CREATE | os.O_EXCL
	clean, err := c.remotesIf(name, flag&exclusive != exclusive, flag&os.O_CREATE != 0, func(p mirror.Place) error {
		return remote.Special(p.Mode())
	})
	if err != nil {
		return nil, err
	}
	f, err := c.m.WriteThrough(clean, name, flag, perm)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// errLocalFile says that a name belongs to a file in the local directory that is not a copy of the remote's.
type errLocalFile struct{}

func (errLocalFile) Error() string        { return "a local file of this name hides the remote's" }
func (errLocalFile) Is(target error) bool { return target == fs.ErrPermission }

// remotes returns the clean name of what the remote has and is to change: not a file of the user's. create says that
// the name may be new.
func (c *Fs) remotes(name string, follow, create bool) (clean string, err error) {
	return c.remotesIf(name, follow, create, func(mirror.Place) error { return nil })
}

// remotesIf is remotes where what is there may be refused.
func (c *Fs) remotesIf(name string, follow, create bool, refuse func(mirror.Place) error) (clean string, err error) {
	if clean, err = c.m.Clean(name); err != nil {
		return "", err
	}
	err = c.m.Do(func(v *mirror.View) error {
		if err := visible(clean, create); err != nil {
			return err
		}
		p, err := v.Find(clean, follow)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // the remote says so itself
		}
		if err != nil {
			return err
		}
		clean = p.Path() // a link may lead to a reserved name
		if err := visible(clean, create); err != nil {
			return err
		}
		own, err := usersOwn(v, clean)
		if own && err == nil {
			err = errLocalFile{}
		}
		if err == nil {
			err = refuse(p)
		}
		return err
	})
	return clean, err
}

// visible refuses paths through reserved names: they cannot be made, and what has one is not there.
func visible(clean string, create bool) error {
	for _, element := range strings.Split(clean, "/") {
		if err := mirror.Creatable(element); err != nil && create {
			return err
		} else if err != nil {
			return fs.ErrNotExist
		}
	}
	return nil
}
