// Package cachefs reads a remote afero.Fs through a local one: a file is fetched when it is opened first, later opens
// read the local copy, also after a restart and while the remote cannot be reached.
//
// # While a file arrives
//
// Open waits for the remote to say that the file is there, and, unless everybody may read it (mode 0444), for the
// remote to open it: whether the login may is not known before, and fs.ErrPermission is Open's error. (If an answer to
// an earlier call does, see Options.ListTTL, it only waits for that.) A file that everybody may read is opened on the
// remote while the program goes on. Whatever it does next through the Fs, be it to remove, rename or replace the file,
// waits where it has to, so that the handle reads the file that was opened. What fails after all is the error of the
// first Read, ReadAt or Seek that needs the remote: [ErrChanged] if others have removed the file in between, else the
// remote's own. Stat answers with what Open was told. Close of a handle that has read nothing does not wait.
//
// The file is read as it arrives, by all who have opened it, and what is read far ahead of that is asked for by itself.
// What has been read in order to some point is fetched to the end, and so is, from the beginning, what is given to
// io.Copy; what is only read here and there is not. A handle reads one version: if the remote's file is changed before
// it has arrived, reads fail with [ErrChanged], unless nothing was read yet. The end of a file, and its last byte, are
// read only when it is certain that all of it was of one version. After an error (the remote cannot be reached) a later
// read goes on where it was. A fetch that nobody waits for any more is stopped, or completed, as Options.FillAfterClose
// says; what has arrived in order is kept (from 1 MiB on) and not fetched again, also after a restart, if the version
// is still the same.
//
// A remote's file is read at several places at once if it is an *os.File or a ParallelReader of package cachefs/remote, as
// those of package sftpfs are; else it is opened several times.
//
// # Guaranteed
//
//   - A copy appears under its name only when it is whole: it arrives under a temporary name, its length and version
//     are checked against what the remote says before and after, and it is renamed into place. Any number of readers
//     that open a file at the same time cause one fetch. One that reads to the end finds the copy in its place; once it
//     has closed its handle, the remote's file is closed, too.
//   - The remote's "no such file" is an answer, everything else is not: a remote that cannot be reached deletes and
//     hides nothing. Then files that are here still open, unless the remote has to be asked about them (see Options),
//     and others are [ErrUnavailable], never fs.ErrNotExist.
//   - What a program or a person put into the local directory by other means is served and never touched; a copy that
//     was edited there is told from an untouched one by its stamps and hash, and is neither replaced nor evicted.
//   - Changes made through the Fs go to the remote at once, and succeed only if the remote took them.
//
// # Not guaranteed
//
// With Options.Revalidate 0 a copy is used for ever, whatever happens on the remote. Versions are told apart by size
// and modification time, as exact as the remote has it. A file that was changed locally without the Fs is not sent
// anywhere; package syncfs does that.
//
// The local directory belongs to one Fs at a time. What it keeps besides the copies is in .syncfs at its root, which
// cannot be seen through the Fs.
package cachefs
