// Package syncfs gives a program written against afero.Fs a remote directory that feels local.
//
// Opening a file takes the local copy if there is one, else fetches it from the remote into the local directory; it is
// read while it arrives (see package cachefs). Changes are made locally and queued; [Fs.Push] makes the remote equal to
// what the program sees. The remote is any afero.Fs: package sftpfs in production, afero.NewMemMapFs() in a test.
//
// # Guaranteed
//
//   - The Fs behaves like a plain directory on which the same calls were made, with the semantics and errors of
//     package os, whatever of it is here, on the remote, or changed and not pushed yet.
//   - Nothing reaches the remote before Push. What a call acknowledged survives the death of the process at any
//     instant; what File.Sync acknowledged survives the loss of power, if the local directory is a real one on a
//     file system that keeps its promises.
//     What was not synced may be lost then; a file of which less is left than was recorded is reported as
//     interrupted, and not pushed.
//   - A file is never visible in part, here or there, except as the program writes it: transfers go to temporary
//     names, are checked, and are renamed into place.
//   - Push replaces, renames over or removes only what the program was shown (the base version, see below), and checks
//     that right before. Another version is a conflict, which stays queued and is reported; other changes go on. Only
//     what was given to Add, or created while the remote could not be asked, overwrites unseen.
//   - What another program writes into the local directory is served and shown by [Fs.Status], and neither pushed before
//     [Fs.Add] nor replaced or deleted by what others do on the remote. If it writes to a file that is queued, Push
//     reports that and leaves the file queued.
//   - A link that comes and goes does not fail a Push. It tries again (see Options.RetryFor), and finds out what became
//     of a step before it is repeated; an upload goes on where it was cut off, also after a restart.
//   - Only the remote's "no such file" means that something is not there. A remote that gives no answer deletes and
//     hides nothing; then names that are not known here are [ErrUnavailable], never fs.ErrNotExist.
//
// # Requests in doubt
//
// A request whose answer never came (its connection was lost, its context ended, the process died) may be carried out
// late, by a server that was suspended or a proxy that kept it. After Push has returned nil, and after at most one more
// Push with nothing queued, the remote has what the program sees, whatever such request was carried out in between.
//
// Push waits for the answers to calls that were cancelled, for 10 seconds at most. What became of other requests it
// finds out by looking at both names until they agree, and it looks at them again in each later Push, until one that
// comes 5 minutes or more after the request. If it finds there what the request does, it makes the remote equal to the
// view again. Meanwhile the local bytes of these names are kept, and their removal by another client is taken for the
// request's. Content that is only on the remote and that such a request could destroy is fetched first; where that
// fails, the step fails with [ErrUnavailable] until the 5 minutes are over. Changes of the owner are not looked at.
//
// # Not guaranteed
//
// SFTP has no compare-and-swap: between the check of a base version and the step itself, one round trip, another
// client's change can be overwritten. By default a copy is used for ever without asking again (see
// cachefs.Options.Revalidate). Owners and modes are not enforced here.
//
// # Versions
//
// The base of a change is what the program was shown last. For a file whose copy is here that is the version of the
// copy, even if a listing has shown a later one since, and also if the file is opened with O_TRUNC. A file that is
// opened for writing without O_TRUNC is fetched first if the remote has another version, and then has that one as its
// base. For everything else the base is what the remote answers to the call.
//
// A version is kind, size, modification time and, of a symbolic link, the target. Many remotes have whole seconds only.
// There a copy whose time is less than two seconds before its fetch, by the remote's clock, is compared by content
// before the file is replaced, removed, renamed or changed. Push learns the remote's clock, for an hour, from a
// directory that it makes, and after a comparison by content. Until then a copy counts as doubtful if its time is less
// than 24 hours before the fetch, so that a clock here that is less than a day ahead does no harm. A file of which
// there is no copy is told by size and time alone.
//
// What Push publishes over a file of the same size gets a modification time in a later second, unless it is more than
// an hour older. A time that the program has set by Chtimes is kept: then the two versions cannot be told apart.
//
// The local directory belongs to one Fs at a time, of any process. The queue, and whatever else is kept besides the
// files themselves, is in .syncfs at its root, which cannot be seen through the Fs; neither can names that begin with
// ".syncfs-", which temporary files have, and files whose own names the local disk cannot hold or keep apart. Temporary
// files of other clients keep a directory from being removed until they are a day old by the server's clock.
//
// Where files change places, or the remote does not replace by rename, one is moved aside on the remote for a moment.
// It has a name that other clients see, such as "a.txt (moving 2006-01-02 host 0123abcd)". All versions are compared
// before the first step of such a cycle. If a later one fails, what is aside is moved back, or stays in sight under
// that name.
package syncfs
