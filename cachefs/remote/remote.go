// Package remote is the contract of a remote: what cachefs and syncfs need of an afero.Fs, and what they use if it has it.
//
// # Required
//
// Any afero.Fs can be a remote. It is asked for clean names with slashes, one at the beginning, such as "/a/b.txt"; "/" is
// the root. (An afero.FromIOFS is asked for "a/b.txt" and ".".) It is used by many goroutines at a time.
//
// Its errors, also wrapped in *fs.PathError and *os.LinkError, decide what it has said:
//
//   - One that matches fs.ErrNotExist says that there is no such file. Nothing else does.
//   - One that matches fs.ErrExist, fs.ErrPermission, fs.ErrInvalid, fs.ErrClosed, or one of the errors of package syscall
//     that a file system gives (ENOTDIR, EISDIR, ENOTEMPTY, ENAMETOOLONG, ELOOP, ENOSPC, EROFS, EXDEV, EBADF, EBUSY, EFBIG,
//     EIO), is a refusal. It is passed on.
//   - Any other says that there was no answer: syncfs.ErrUnavailable. What a call that changes something has done then is
//     found out later.
//
// Rename of a file replaces a file that is there, or fails with an error that matches fs.ErrExist. Then that file is moved
// aside first.
//
// # Optional
//
// The interfaces below are looked for on the type of the remote. A wrapper must not have a method that what it wraps lacks:
// only Stager may answer that it is not supported. afero.Symlinker is optional as well: without it there are no symbolic
// links. Each method is safe for concurrent use.
package remote

import (
	"context"
	"io/fs"
	"time"

	"github.com/spf13/afero"
)

// ContextBinder is a remote whose calls can end early. WithContext returns the same remote, with the same optional methods,
// whose calls and whose open files' calls end when ctx does, with ctx's error; Close of a file still closes it.
//
// Without it, a call that is under way when its context ends, or at Close, is left to itself.
type ContextBinder interface {
	WithContext(ctx context.Context) afero.Fs
}

// Settler is a ContextBinder whose calls may end with their context before they are answered. Settle returns nil once each of
// them that changes something was answered or cannot be carried out any more, or ctx's error.
//
// Without it, a call that ended with its context may be taken for one that failed.
type Settler interface {
	Settle(ctx context.Context) error
}

// Connecter is a remote that connects when it is first used, unless it is told to before. Connect returns when it is connected,
// or ctx's error. Nobody looks at the error: the next call will tell.
type Connecter interface {
	Connect(ctx context.Context) error
}

// Identifier is a remote that can be told from others: Identity names the server and the directory on it, such as
// "sftp://user@host:22/dir", in at most 64 KiB of UTF-8. "" stands for one that is not known. A local directory that was used
// for another identity is refused.
//
// Without it, any remote is taken for the one that the local directory was used for before.
type Identifier interface {
	Identity() string
}

// Expecter is a remote that prepares for many calls: so many will be under way at a time before long.
type Expecter interface {
	Expect(calls int)
}

// RoundTripTimer is a remote that knows how long a round trip takes; 0 if it does not yet. It decides how many small files are
// transferred at a time.
//
// Without it, they are as many as there may be.
type RoundTripTimer interface {
	RoundTrip() time.Duration
}

// DirReader is a remote that lists a directory in one call. The order does not matter.
//
// Without it, a directory is opened, read and closed.
type DirReader interface {
	ReadDir(name string) ([]fs.FileInfo, error)
}

// DirMaker is a remote whose Mkdir says what it has made. If the error matches fs.ErrExist, it says what is there. A symbolic
// link is not followed; nil is that it is not known.
//
// Without it, Mkdir and Stat are called.
type DirMaker interface {
	MakeDir(name string, perm fs.FileMode) (fs.FileInfo, error)
}

// FileReplacer is a remote that has a faster way to rename a file over another one, or to where nothing is.
//
// Without it, Rename is called.
type FileReplacer interface {
	ReplaceFile(oldname, newname string) error
}

// VersionReader is a remote that reads a small file at once, if it still has that size and modification time and, with a size
// of 0, has no content. Any error means only that the file is to be opened.
//
// Without it, the file is opened, read, looked at and closed.
type VersionReader interface {
	ReadVersion(name string, size int64, mtime time.Time) ([]byte, fs.FileInfo, error)
}

// Stager is a remote that makes a new small file, which is to be renamed over target, with all that belongs to it, and looks
// at both, in few round trips; there is nil if there is no target. An error that matches errors.ErrUnsupported means only that
// this is to be done in another way; the file may be there in part then.
//
// Without it, the file is opened, written, closed, given its times and looked at.
type Stager interface {
	Stage(name string, content []byte, mode fs.FileMode, atime, mtime time.Time, target string) (
		staged, there fs.FileInfo, err error)
}

// ContentKeeper is a remote that knows whether a file that is opened for writing without O_TRUNC keeps its content. Some
// servers empty it, and fill it with zeros up to the first byte that is written.
//
// Without it, or if KeepsContent returns false, an upload that was cut off is read back before it goes on.
type ContentKeeper interface {
	KeepsContent() bool
}

// Files of a remote may have io.ReaderFrom and io.WriterTo, which then transfer contents, and these methods.

// ParallelReader is a file whose ReadAt may be called by many at a time, and beside Read, if ReadsAtOnce returns true.
//
// Without it, there is one read of a handle at a time. An *os.File does not need it.
type ParallelReader interface {
	ReadsAtOnce() bool
}

// Acknowledger is a file with io.ReaderFrom that knows how many bytes, from where the running or last ReadFrom began, have
// arrived without a gap. It may be asked during ReadFrom.
//
// Without it, an upload that was cut off starts over.
type Acknowledger interface {
	Acknowledged() int64
}
