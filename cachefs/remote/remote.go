// Package remote is the contract of a remote: what cachefs and syncfs require of an afero.Fs, and the optional
// interfaces that they use.
//
// # Required
//
// Any afero.Fs can be a remote. It gets clean names with slashes, one at the beginning, such as "/a/b.txt"; "/" is the
// root. (An afero.FromIOFS gets "a/b.txt" and ".".) Many goroutines use it at a time.
//
// Its errors, also wrapped in *fs.PathError and *os.LinkError, are classified:
//
//   - An error that matches fs.ErrNotExist means that there is no such file. No other error does.
//   - An error that matches fs.ErrExist, fs.ErrPermission, fs.ErrInvalid, fs.ErrClosed, errors.ErrUnsupported, or one of
//     the errors of package syscall that a file system returns (ENOTDIR, EISDIR, ENOTEMPTY, ENAMETOOLONG, EILSEQ, ELOOP,
//     ENOSPC, EDQUOT, EFBIG, EROFS, EXDEV, EMLINK, EBADF, EMFILE, ENFILE, EBUSY, ETXTBSY, ENXIO, ENODEV, EIO), is a
//     refusal. It is passed on, and the call is not repeated.
//   - Any other error means that there was no answer: syncfs.ErrUnavailable. If the call changes something, its outcome
//     is in doubt and is found out later.
//
// Rename of a file replaces an existing file, or fails with an error that matches fs.ErrExist. In that case the
// existing file is moved aside first.
//
// # Optional
//
// The type of the remote may implement the interfaces below. A wrapper must not have a method that the wrapped remote
// lacks: only Stager may answer that it is not supported. afero.Symlinker is optional, too: without it there are no
// symbolic links. Each method is safe for concurrent use.
package remote

import (
	"context"
	"io/fs"
	"time"

	"github.com/spf13/afero"
)

// ContextBinder is a remote whose calls can end early. WithContext returns the same remote, with the same optional
// methods. Its calls, and those of its open files, end when ctx ends, with the error of ctx. Close of a file still
// closes it.
//
// Without it, a call in flight when its context ends, or at Close, is abandoned and goes on in the background.
type ContextBinder interface {
	WithContext(ctx context.Context) afero.Fs
}

// Settler is a ContextBinder whose calls may end with their context before they are answered. Settle waits until each
// such call that changes something was answered or cannot be executed any more, and returns nil; or it returns the
// error of ctx.
//
// Without it, a call that ended with its context may pass for one that failed.
type Settler interface {
	Settle(ctx context.Context) error
}

// Connecter is a remote that connects when it is first used. Connect makes it connect earlier, and returns when it is
// connected or ctx ends. Its error is ignored: the next call reports it.
type Connecter interface {
	Connect(ctx context.Context) error
}

// Identifier is a remote that can be told from others. Identity names the server and the directory on it, such as
// "sftp://user@host:22/dir", in at most 64 KiB of UTF-8; "" if unknown. A local directory that was used for another
// identity is refused.
//
// Without it, any remote passes for the one that the local directory was used for before.
type Identifier interface {
	Identity() string
}

// Expecter is a remote that prepares for many calls. Expect hints that about that many calls will soon be in flight.
type Expecter interface {
	Expect(calls int)
}

// RoundTripTimer is a remote that knows the duration of a round trip; 0 if it does not know it yet. The duration
// decides how many small files are transferred at a time.
//
// Without it, as many small files as possible are transferred at a time.
type RoundTripTimer interface {
	RoundTrip() time.Duration
}

// DirReader is a remote that lists a directory in one call. The order does not matter.
//
// Without it, a directory is opened, read and closed.
type DirReader interface {
	ReadDir(name string) ([]fs.FileInfo, error)
}

// DirMaker is a remote whose Mkdir describes what it has made. If the error matches fs.ErrExist, MakeDir describes what
// exists, and does not follow a symbolic link. A nil FileInfo means that this is unknown.
//
// Without it, Mkdir and Stat are called.
type DirMaker interface {
	MakeDir(name string, perm fs.FileMode) (fs.FileInfo, error)
}

// FileReplacer is a remote that has a faster way to rename a file to a free name or over another file.
//
// Without it, Rename is called.
type FileReplacer interface {
	ReplaceFile(oldname, newname string) error
}

// VersionReader is a remote that reads a small file in one call, if the file still has that size and modification time
// and, with a size of 0, has no content. Any error means only that the file has to be opened.
//
// Without it, a file is opened, read, examined with Stat, and closed.
type VersionReader interface {
	ReadVersion(name string, size int64, mtime time.Time) ([]byte, fs.FileInfo, error)
}

// Stager is a remote that makes a new small file with content, mode and times in few round trips. The mode is that of
// OpenFile: the remote may take bits from it, as a umask does. The file will be renamed over target. Stage also describes the new file and the target; there is nil if there is no target. An error
// that matches errors.ErrUnsupported means only that the file has to be sent in another way; a part of it may exist
// then.
//
// Without it, the file is opened, written, closed, given its times, and examined with Stat.
type Stager interface {
	Stage(name string, content []byte, mode fs.FileMode, atime, mtime time.Time, target string) (
		staged, there fs.FileInfo, err error)
}

// ContentKeeper is a remote that knows whether a file that is opened for writing without O_TRUNC keeps its content.
// Some servers empty it, and fill it with zeros up to the first byte that is written.
//
// Without it, or if KeepsContent returns false, a resumed upload is read back before it is published.
type ContentKeeper interface {
	KeepsContent() bool
}

// TimeKeeper is a remote that knows whether a file that is renamed keeps its modification time. Object stores give it a
// new one.
//
// Without it, or if KeepsTimes returns false, a file is looked at again after it was renamed.
type TimeKeeper interface {
	KeepsTimes() bool
}

// Files of a remote may implement io.ReaderFrom and io.WriterTo, which then transfer contents, and these methods.

// ParallelReader is a file whose ReadAt may be called concurrently, also with Read, if ReadsAtOnce returns true.
//
// Without it, each handle is read by one call at a time. An *os.File does not need it.
type ParallelReader interface {
	ReadsAtOnce() bool
}

// OrderedWriter is a file whose ReadFrom may write in several places at once. After WriteInOrder, it writes each byte
// after those before it, and opens the file no second time.
//
// Without it, ReadFrom must do so anyway.
type OrderedWriter interface {
	WriteInOrder()
}

// Acknowledger is a file with io.ReaderFrom that knows how many bytes, from the start of the running or last ReadFrom,
// have arrived without a gap. It may be called during ReadFrom.
//
// Without it, an interrupted upload starts over.
type Acknowledger interface {
	Acknowledged() int64
}
