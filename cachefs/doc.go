// Package cachefs reads a remote [afero.Fs] through a local directory. The first open of a file downloads it; later opens
// read the local copy, also after a restart and while the remote is unreachable.
//
// # While a file is being downloaded
//
// Open returns when the file is known to exist and to be readable. If the file may be read by everybody (mode 0444), the
// remote opens it in the background. Otherwise Open waits for the remote to open it, so that fs.ErrPermission is an error of
// Open. If a listing that may still be used (see [Options].ListTTL) has shown the file, Open asks nothing more.
//
// A later Remove, Rename or replacement of the file through the same Fs waits until the remote has opened it, so the handle
// always reads the file that was opened. If the background open fails, the first Read, ReadAt or Seek that needs the remote
// returns the error: [ErrChanged] if another client has removed the file, otherwise the error of the remote. Stat returns
// what Open learned. Close does not wait if nothing was read.
//
// All readers of a file share one download. They read bytes as these arrive. A read far ahead of the download is a request
// of its own. A file that is read in order, or copied with io.Copy, is downloaded to its end. A file that is only read
// here and there is not.
//
// A handle reads exactly one version. If the remote's file changes before it has arrived, reads fail with [ErrChanged],
// unless the handle has not read anything yet. The last byte and io.EOF are only returned when all of the file is known to
// be of one version. After a failed read, a later read continues where it stopped.
//
// When the last handle is closed, the download stops or continues as [Options].FillAfterClose says. A stopped download keeps
// what has arrived in order, from 1 MiB on. The next open of the same version resumes it, also after a restart.
//
// A file of the remote is read in several places at once if it is an *os.File or a ParallelReader (package cachefs/remote),
// as the files of package sftpfs are. Other files are opened several times instead.
//
// # Guarantees
//
//   - A copy appears under its name only when it is complete. The download goes to a temporary name, its length and version
//     are compared with what the remote says before and after, and then it is renamed. Any number of simultaneous readers
//     cause one download. A reader that has read to the end finds the copy in place. When it has closed its handle, the
//     remote's file is closed, too.
//   - Only the remote's "no such file" means that a file does not exist. A remote that is unreachable deletes and hides
//     nothing: local copies still open, unless revalidation is due (see [Options]), and other files fail with
//     [ErrUnavailable], never with fs.ErrNotExist.
//   - Files that somebody put into the local directory by hand are served and never modified. A copy that was edited by hand
//     is recognized by its timestamps and its hash. It is neither replaced nor evicted.
//   - Changes made through the Fs go to the remote at once. They succeed only if the remote accepted them.
//
// # Limits
//
// With Options.Revalidate 0 a copy is used forever, even if the remote's file changes. Versions are told apart by size and
// modification time, with the precision that the remote has. A local file that was changed by hand is not sent anywhere;
// package syncfs does that.
//
// One Fs at a time uses a local directory. Apart from the copies, the Fs keeps its state in .syncfs at the root of the
// directory. That name is invisible through the Fs.
package cachefs
