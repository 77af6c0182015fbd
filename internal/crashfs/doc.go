// Package crashfs is an afero.Fs in memory that models a disk behind a volatile
// cache.
//
// In use it is a plain file system with the semantics of package os: what one
// handle writes another reads, handles survive the renaming and the removal of
// their file, O_APPEND and O_EXCL are atomic. It has no links, checks no
// permissions, and has a umask of 022.
//
// What it adds is the question of what a loss of power leaves. [Fs.Crash]
// answers it with a new Fs, and leaves the old one as it is:
//
//   - The content and the attributes of a file are durable once File.Sync of a
//     handle of it has returned. What was written later may be lost.
//   - Names are durable once File.Sync of a handle of their directory has
//     returned: names created, removed and renamed, and directories made. A new
//     directory is a name in its parent, whose Sync it takes.
//   - A file whose name is durable and whose content is not is empty or shorter.
//   - A rename is durable whole or not at all, across directories too. It takes
//     along the earlier operations of both directories, and the making of those
//     it leads to: what was durable under one name is so under that or another.
//
// This is what POSIX promises and no more; with [Options.Journal] it is what
// ext4 and XFS do, where each Sync takes along all operations on names.
// [Fs.CrashRandom] leaves in addition some of what was not synced: of each file
// the first of its writes, of each directory the first of its operations.
package crashfs
