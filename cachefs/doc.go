// Package cachefs reads a remote afero.Fs through a local one: the first open of a file fetches it whole, later ones
// read the local copy, also after a restart and while the remote cannot be reached.
//
// # Guaranteed
//
//   - A copy appears under its name only when it is whole: it arrives under a temporary name, its length and version
//     are checked against what the remote says before and after, and it is renamed into place. Any number of readers
//     that open a file at the same time cause one fetch.
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
