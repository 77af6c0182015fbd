// Package syncfs gives a program that is written against [afero.Fs] a remote directory that feels local.
//
// Opening a file takes the local copy if there is one, and otherwise downloads the file into the local directory. The
// program reads it while it arrives (see package cachefs). Changes are made locally and queued. [Fs.Push] makes the remote
// equal to what the program sees. The remote is any afero.Fs: package sftpfs in production, afero.NewMemMapFs() in a test.
//
// # Guarantees
//
//   - The Fs behaves like a plain directory on which the same calls were made, with the semantics and errors of package os.
//     It makes no difference which files have a local copy, which exist only on the remote, and which changes were not
//     pushed yet.
//   - Nothing reaches the remote before Push. A change that a call has acknowledged survives the death of the process at any
//     moment. Content that File.Sync has acknowledged survives a loss of power, if the local directory is a real one on a
//     file system that keeps its promises. Content that was not synced may be lost then. A file that is shorter than its
//     record says is reported as interrupted, and not pushed.
//   - No file is ever visible in part, locally or on the remote, except while the program itself writes it: transfers go to
//     temporary names, are checked, and are renamed into place. [PublishDirect] is an exception, for servers that do not
//     allow that.
//   - Push replaces, renames over or removes only the version that the program was shown (the base, see below). It checks
//     that immediately before each step. Another version is a conflict: the change stays queued, Push reports it, and other
//     changes go on. Only files that were given to Add, or created while the remote was unreachable, overwrite an unknown
//     version.
//   - Files that another program writes into the local directory are served and shown by [Fs.Status]. They are not pushed
//     before [Fs.Add], and never replaced or deleted because of a change on the remote. If another program writes to a file
//     that is queued, Push reports that and leaves the file queued.
//   - An unreliable network delays Push but does not fail it. Push tries again (see [Options].RetryFor), and finds out what
//     became of a step before it repeats it. An interrupted upload continues where it stopped, also after a restart.
//   - Only the remote's "no such file" means that a file does not exist. A remote that is unreachable deletes and hides
//     nothing. Names that are unknown locally fail with [ErrUnavailable], never with fs.ErrNotExist.
//
// # Requests in doubt
//
// A request is in doubt if its answer never came: the connection was lost, the context ended, or the process died. The
// server, or a proxy that held the request back, may execute it late. The promise is: after Push has returned nil, and after
// at most one more Push with nothing queued, the remote has what the program sees, whatever request in doubt was executed in
// between.
//
// Push waits up to 10 seconds for the answers to cancelled calls. For other requests in doubt it looks at the names
// concerned until the looks agree. Each later Push looks at them again, up to and including the first one that comes at
// least 5 minutes after the request. If Push finds that a request was executed late, it makes the remote equal to the view
// again. Until then the local bytes of these names are kept, and if they disappear on the remote, that is attributed to the
// request and not to another client. If such a request could destroy content that is only on the remote, Push downloads it
// first. If that fails, the step fails with [ErrUnavailable] until the 5 minutes are over. Changes of the owner are not
// checked.
//
// # Limits
//
// SFTP has no compare-and-swap. A change that another client makes between the check of the base and the step itself, which
// is one round trip, can be overwritten. By default a copy is used forever without asking again (see
// cachefs.Options.Revalidate). The Fs does not enforce owners and modes locally.
//
// # Versions
//
// The base of a change is the version that the program was shown last. For a file with a local copy, that is the version of
// the copy, even if a listing has shown a later one since, and even if the file is opened with O_TRUNC. A file that is
// opened for writing without O_TRUNC is downloaded first if the remote has another version; that version is its base. In all
// other cases the base is what the remote answers to the call.
//
// A version consists of kind, size, modification time and, for a symbolic link, the target. Many remotes have whole seconds
// only. On these, a copy is unsure if its modification time is less than two seconds before its download by the remote's
// clock. The content of an unsure copy is compared before the file is replaced, removed, renamed or changed. Push learns the
// remote's clock, for an hour, from a directory that it makes, and after a comparison of content. Until then a copy is
// unsure if its modification time is less than 24 hours before the download, so a local clock that is less than a day ahead
// does no harm. Files without a copy are compared by size and time only.
//
// When Push replaces a file by one of the same size, the new file gets a modification time in a later second, unless it is
// more than an hour older. A time that the program has set with Chtimes is kept; then the two versions cannot be told apart.
//
// # The local directory
//
// One Fs of one process at a time uses a local directory. The queue and all other state are in .syncfs at its root. The
// following names are invisible through the Fs: .syncfs, names that begin with ".syncfs-" (temporary files have them), and
// the names under which .syncfs keeps files whose own names the local disk cannot hold or keep apart. Temporary files of
// other clients prevent the removal of their directory until they are a day old by the server's clock.
//
// # Moving aside
//
// If files change places, or if the remote does not replace by rename, Push moves a file aside on the remote for a moment.
// Other clients see it under a name such as "a.txt (moving 2006-01-02 host 0123abcd)". Push compares all versions before the
// first step of such a cycle. If a later step fails, the file is moved back, or it stays visible under that name.
package syncfs
