// Package localdir gives the rest of the project access to the local directory: a small set of calls with the semantics
// of package os, over any [afero.Fs].
//
// It guarantees over every Fs:
//
//   - Names are slash-separated, clean and relative to the root, as [fs.ValidPath] defines them. For other names the
//     error is [fs.ErrInvalid].
//   - Errors are *fs.PathError or *os.LinkError with the name as given, around the error that package os would return:
//     they match fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrClosed, or an errno such as syscall.ENOTDIR,
//     syscall.EISDIR or syscall.ENOTEMPTY.
//   - An [Info] is a snapshot. A [File] may be used by several goroutines at once, and closing it does not change its
//     modification time.
//   - Only one [Dir] at a time holds a directory; see [Open].
//   - A Dir may be used by several goroutines at once.
//   - Two names are two files. [Open] makes probe files to find out whether the disk folds case, normalizes Unicode, or
//     reserves names. If it does, a name that the disk can't hold, or takes for another existing one, is stored escaped
//     in the same directory. Otherwise names are stored as they are, without further system calls.
//
// A directory of this machine's file system ([Dir.Real]) is accessed through [os.Root]: no symbolic link in it, in
// whatever component and whoever made it, leads outside. An Fs counts as such a directory if it is an
// [afero.BasePathFs] directly on an [afero.OsFs], or an OsFs itself. Both are verified by comparing the directories
// that each of them opens.
//
// Limits:
//
//   - Any other Fs confines names itself, or not at all: a wrapper around a real directory, or one BasePathFs on
//     another, follows symbolic links wherever they lead. Calls that check before they change (Remove of a directory,
//     Rename to an existing name) are atomic in memory, but not against other users of the same Fs.
//   - A file system in memory treats "a" and "/a" as two names. This package finds both, "/a" first, and treats two
//     directories as one. A new entry is spelled like its directory. At the root it is spelled like all entries there;
//     if there are none, or of both kinds, like the first name given to [Dir.Spelled].
package localdir
