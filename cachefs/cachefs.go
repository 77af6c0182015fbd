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

// Errors to be found with errors.Is.
var (
	// ErrUnavailable: the remote did not answer. Such an error never matches fs.ErrNotExist.
	ErrUnavailable = remote.ErrUnavailable
	// ErrBusy: the file is open or pinned, so its copy is not evicted.
	ErrBusy = mirror.ErrBusy
	// ErrChanged: the remote's file changed while it was read or downloaded, or the local copy was edited.
	ErrChanged = mirror.ErrChanged
	// ErrLocked: another Fs holds the local directory.
	ErrLocked = localdir.ErrLocked
	// ErrRemoteChanged: the local directory was used for another remote.
	ErrRemoteChanged = mirror.ErrRemoteChanged
)

// RemoteChangedError is the error of New if the local directory was used for another remote. Recorded is the identity of
// that remote, Given is the identity of the new one. It matches ErrRemoteChanged. With Options.AdoptRemote, New accepts the
// directory.
type RemoteChangedError = mirror.RemoteChangedError

// Always is the value of Options.Revalidate that asks the remote at every open.
const Always time.Duration = mirror.Always

// Options configure an Fs. The zero value and a nil pointer select the defaults.
type Options struct {
	// Revalidate is the age at which a copy is compared with the remote's version before it is used. 0: never compared;
	// Always: compared at every open.
	Revalidate time.Duration
	// StaleIfUnavailable serves the local copy when revalidation is due but the remote is unreachable. If it is not set,
	// the call fails with ErrUnavailable.
	StaleIfUnavailable bool
	// MaxBytes bounds the bytes of all copies and downloads. The least recently used copies are evicted first; copies that
	// are open or pinned are never evicted. If there is no room for a file, it is read from the remote without being kept.
	// If the server removes what was read (a mailbox), a copy is all there is: Pin it, or set no bound. 0: no bound, except
	// that a local afero.MemMapFs keeps no file of more than 1 GiB.
	MaxBytes int64
	// FillAfterClose is the number of bytes that may be missing when the last handle of a file is closed, for the download
	// to continue in the background. If more are missing, the download stops and keeps what has arrived. 0: as many bytes
	// as have arrived, so that the transfer at most doubles, and any number for a file of up to 1 MiB; negative: the
	// download always stops.
	FillAfterClose int64
	// ListTTL is how long the Fs reuses a listing, the attributes in it, and the absence of names that are not in it.
	// Changes made through this Fs are visible at once, changes by other clients after ListTTL at the latest. It does not
	// apply to content: a file without a local copy is read as the remote has it now, and Revalidate decides about copies.
	// While a program walks the tree (afero.Walk), the Fs prefetches the listings of the next directories, up to 128 at a
	// time. Fetch, Pull and Pin always ask the remote before they report a file as absent. 0: 5 s; negative: every call
	// asks the remote, and nothing is prefetched.
	ListTTL time.Duration
	// Parallel is the number of files that Pull downloads at once. 0: 16 large files, or up to 2,048 files of less than
	// 16 KiB, which mostly wait for round trips; fewer if the process may open only few files.
	Parallel int
	// Progress is called with the progress of each Fetch and Pull (and of each Push of a syncfs.Fs), at most ten times per
	// second, and once when the call ends, with or without an error. It runs in a goroutine of the call, which waits for
	// the last report to return. Downloads caused by Open are not reported. nil: no reports.
	Progress func(Progress)
	// Logger logs what happens in the background: evictions, edits that were found, damage. nil: no logging.
	Logger *slog.Logger
	// Now is the clock. nil: time.Now.
	Now func() time.Time
	// AdoptRemote lets New accept a local directory that was used for another remote (see RemoteChangedError), for example
	// because the server has a new address. The copies stay, and each is revalidated before it is used next. Queued changes
	// stay queued.
	AdoptRemote bool
}

// Progress is a snapshot of one call of Fetch or Pull.
type Progress = progress.Progress

// Transfer is one file in flight.
type Transfer = progress.Transfer

// Fs reads a remote Fs through a local directory. It is safe for concurrent use.
type Fs struct {
	m *mirror.FS
}

var (
	_ afero.Fs        = (*Fs)(nil)
	_ afero.Symlinker = (*Fs)(nil)
)

// New returns an Fs that keeps copies of the remote's files in local. The root of local must exist. New does not use the
// remote.
//
// The error matches fs.ErrNotExist if the root is missing, ErrLocked if another Fs uses it, fs.ErrInvalid if an option is
// out of range, and ErrRemoteChanged if local was used for another remote. It matches fs.ErrPermission if other users could
// have written to .syncfs; never use a local directory that somebody else has prepared.
//
// Remotes are told apart by their method Identity() string, which sftpfs.Fs has. A remote without it, or behind a wrapper
// that hides it, like afero.BasePathFs, is neither recorded nor compared.
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

// Close cancels all calls and downloads, waits for them, and releases the local directory. Cancelled calls and later calls
// fail with fs.ErrClosed. A second Close waits for the first one. Options.Progress may call Close; Options.Logger must not.
func (c *Fs) Close() error { return c.m.Close() }

// WithContext returns the same Fs with calls that end when ctx ends. A remote with a method WithContext(context.Context)
// afero.Fs gets the context, too. A call to any other remote is abandoned and goes on in its own goroutine.
func (c *Fs) WithContext(ctx context.Context) afero.Fs { return &Fs{c.m.With(ctx)} }

// Name is "cachefs".
func (c *Fs) Name() string { return "cachefs" }

// Damage returns an error that describes what was lost if New found the records of the copies damaged, missing or
// truncated; otherwise nil. Copies without a record are treated as files that the user put there. Damage does not
// notice that all of .syncfs was deleted, or that the last records of a process that died were cut off exactly between
// two records.
func (c *Fs) Damage() error { return c.m.Damage() }

// Invalidate marks a name and everything below it for revalidation on next use, regardless of Revalidate and ListTTL. The
// copies stay.
func (c *Fs) Invalidate(name string) error {
	return oserr.Path("invalidate", name, c.m.Invalidate(name))
}

// Open opens a file or directory for reading. The package documentation says how a file without a local copy is read.
func (c *Fs) Open(name string) (afero.File, error) { return c.OpenFile(name, os.O_RDONLY, 0) }

// Create creates or truncates a file on the remote.
func (c *Fs) Create(name string) (afero.File, error) {
	return c.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

// OpenFile opens a file. A file opened for reading is the local copy, as with Open. A file opened for writing is the
// remote's.
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

// errLocalFile: a name belongs to a file in the local directory that is not a copy of the remote's.
type errLocalFile struct{}

func (errLocalFile) Error() string        { return "a local file of this name hides the remote's" }
func (errLocalFile) Is(target error) bool { return target == fs.ErrPermission }

// remotes returns the clean name of an entry of the remote that is about to be changed. It refuses users' files with
// errLocalFile. create is set if the name may be new.
func (c *Fs) remotes(name string, follow, create bool) (clean string, err error) {
	return c.remotesIf(name, follow, create, func(mirror.Place) error { return nil })
}

// remotesIf is remotes with a function that may refuse what is there.
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
			return nil // the remote will report that itself
		}
		if err != nil {
			return err
		}
		clean = p.Path() // a symbolic link may lead to a reserved name
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

// visible refuses paths with reserved names. To create one is fs.ErrInvalid; otherwise it does not exist.
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
