// Package localdir is the local directory as the rest of the project sees it: a small set of calls with the
// semantics of package os, over any [afero.Fs].
//
// What holds over every Fs:
//
//   - Names are slash-separated, clean and relative to the root, as [fs.ValidPath] defines them; anything else is
//     refused with [fs.ErrInvalid].
//   - Errors are *fs.PathError or *os.LinkError with the name as it was given, around what package os would say:
//     they match fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrClosed, or an errno such as syscall.ENOTDIR,
//     syscall.EISDIR or syscall.ENOTEMPTY.
//   - An [Info] is a snapshot, a [File] can be used by several goroutines at once, and closing a file does not
//     change its modification time.
//   - One [Dir] holds a directory at a time; see [Open].
//   - A Dir may be used by several goroutines at once.
//   - Two names are two files. [Open] makes probe files to find out whether the disk folds case, normalizes Unicode,
//     or reserves names. If it does, a name that the disk cannot hold, or takes for another one that is there, is
//     stored escaped in the same directory. Elsewhere names are stored as they are, without further system calls.
//
// A directory of this machine's file system ([Dir.Real]) is served through [os.Root]: no link in it, in whatever
// component and however it came there, leads outside. It is recognized when the Fs is an [afero.BasePathFs] directly
// on an [afero.OsFs], or an OsFs itself; both are proven by comparing the directory each of them opens.
//
// What does not hold:
//
//   - Over any other Fs the confinement is that Fs's own: a wrapper around a real directory, or one BasePathFs on
//     another, follows links wherever they lead. Calls that look before they change (Remove of a directory, Rename
//     onto a name) are atomic in memory, and not against other users of the same Fs elsewhere.
//   - A file system in memory takes "a" and "/a" for two names. Both are found here, "/a" first, and two directories
//     are one. What is made is spelled as the directory it is in; at the root as all that is there, or, if that is
//     nothing or both, as the first name that [Dir.Spelled] was told.
package localdir
