// Package crashfs is an afero.Fs in memory that models a disk with a volatile cache.
//
// It is a plain file system with the semantics of package os: what one handle writes another reads, handles survive the
// renaming and the removal of their file, O_APPEND and O_EXCL are atomic. It has no symbolic links, checks no
// permissions, and has a umask of 022.
//
// In addition, [Fs.Crash] answers what a power failure leaves. It returns a new Fs, and does not affect the old one:
//
//   - The content and the attributes of a file are durable when File.Sync of a handle of the file has returned. Later
//     writes may be lost.
//   - Names are durable when File.Sync of a handle of their directory has returned: names created, removed and renamed,
//     and directories made. A new directory is a name in its parent, so it needs the Sync of the parent.
//   - A file with a durable name but without durable content is empty or shorter.
//   - A rename is durable as a whole or not at all, even between directories. It includes the earlier operations of
//     both directories, and the creation of the directories that lead to the new name. So something that was durable
//     under one name stays durable under that name or another.
//
// POSIX promises this and no more. With [Options.Journal], the model follows ext4 and XFS, where each Sync includes all
// operations on names. [Fs.CrashRandom] leaves, in addition, some of what was not synced: of each file its first
// writes, of each directory its first operations.
package crashfs
