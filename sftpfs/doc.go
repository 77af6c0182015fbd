// Package sftpfs is an afero.Fs on an SFTP server that behaves like package os.
//
// New checks a Config and does not use the network. The first call that needs the server connects; Config.DialTimeout
// bounds all steps together. If a connection is lost, or the server falls silent, the next call opens a new connection.
//
// # Guarantees
//
//   - Names are slash-separated and below Config.Root, which is shown as "/"; ".." stops there. "a", "/a" and "./a" are
//     one name.
//   - Errors are *fs.PathError or *os.LinkError with the errno that package os would give, so errors.Is finds
//     fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrInvalid and fs.ErrClosed, and errors.ErrUnsupported. SFTP has
//     one code for most failures; the Fs looks at the names involved to find the reason. A failure without a known
//     reason is syscall.EIO.
//   - The message with which a server refuses a request is in the error, if it says more than the code does: at most 256
//     bytes of it, without control characters.
//   - What a server does not support is asked for once, and refused on this side from then on; see Capabilities.Refused.
//   - An answer is final, whatever its code is: the request is not sent again, and the connection stays. Only codes 6 and
//     7 of SFTP, no connection and connection lost, are ErrUnavailable.
//   - A server that does not answer is ErrUnavailable, never fs.ErrNotExist.
//   - The host key is always checked, also that of each jump host. Certificates of known authorities are accepted.
//   - Neither SHA-1 (in key exchange, MACs, and signatures by ssh-rsa) nor CBC and RC4 are offered, unless
//     Config.Algorithms or ssh_config lists them.
//   - If the connection is lost, calls that change nothing (stat, listing, readlink, open for reading) are sent again
//     once, and so is MkdirAll. Writes, renames, removals and all other changes are never sent twice: their error
//     matches ErrUnavailable and says that the outcome is unknown.
//   - A file open for reading survives the loss of its connection: reads continue on a new one, if the name still leads
//     to a file of the same size and modification time. The first read asks the server for these.
//   - Any number of calls and open files share a few SFTP channels. The Fs opens more under load, and for large copies
//     if the round trip is long, because one channel carries at most 2 MiB per round trip. It closes idle channels. If
//     the server refuses a channel, a connection or another open file, the Fs uses what it has.
//   - If the server is known to process requests in the order in which it receives them, as OpenSSH's does, requests
//     that do not depend on an answer are pipelined: a listing takes one round trip, and so do reading a small file
//     whole (ReadVersion) and writing one (Stage). On any other reply than the expected one, the operation falls back
//     to the ordinary requests.
//   - Connecting takes the round trips that SSH and SFTP need: with a key, one for TCP, six to log in, three to start
//     SFTP. On OpenSSH, the first call does not wait for the last of them. If the server turns out not to speak SFTP,
//     that call fails with ErrUnavailable.
//   - Copies (File.WriteTo and File.ReadFrom, which io.Copy uses) that run at the same time share the channels fairly.
//     All together they hold 2 MiB for each channel, and one packet (32 KiB, or 255 KiB if the round trip is short) for
//     each copy.
//   - While an answer is due, the connection is never silent for longer than Config.IdleTimeout. If one request blocks
//     its channel, only that channel is given up, after Config.IdleTimeout or Config.RequestTimeout. Calls that change
//     nothing leave the channel before that. Reads of open files leave it when it is given up, if it is known which
//     version they read. After a failure to connect, calls fail at once for up to two seconds.
//   - Whatever a server sends is treated as data: an impossible answer ends the call or the connection with an error. A
//     listing fails with fs.ErrInvalid at a name with a slash or a NUL or of more than 4,096 bytes, after more than 256
//     consecutive answers without a new entry, and when it needs about 1 GiB of memory. OpenSSH's listings need that
//     much at four million entries with names of 20 bytes.
//   - A file ends only at the size that the server states, so a short answer never shortens a copy.
//   - An Fs and its files are safe for concurrent use.
//
// # Limits
//
//   - Times are whole seconds from 1970 to 2106.
//   - The mode given to OpenFile, Mkdir and MkdirAll is set by a second request, right after the file was made, less
//     the bits that the server's umask removed. The mode of an existing file is not changed.
//   - O_APPEND is atomic if the server honors it. Other servers append at the end of the file as this side knows it.
//   - Rename replaces an existing file atomically if the server offers posix-rename@openssh.com. Otherwise it sends the
//     plain SFTP rename, which most servers refuse if the target exists (fs.ErrExist); a few replace the target. Rename
//     replaces a file in more than one step only if Config.AllowNonAtomicReplace is set.
//   - Remove and Rename look at a name one round trip before they act on it. If a directory takes the place of a file
//     in between, it is up to the server whether the directory survives.
//   - File.Sync needs a server that offers fsync@openssh.com. Elsewhere it fails with errors.ErrUnsupported.
//   - An open file belongs to the connection on which it was opened, and fails with ErrUnavailable once that is lost.
//     For files open for reading, see the exception above.
//   - Absolute targets of symbolic links are translated to and from paths below Root; relative targets are unchanged.
//     The server follows symbolic links and does not know Root, so they may lead outside.
//   - Servers have one answer for a name that does not exist, for a path that leads through a file, and for a loop of
//     symbolic links: all are fs.ErrNotExist.
//   - Over a client of NewClient, the Fs knows nothing of channels, limits and silence. A name in a listing is only
//     what follows its last slash, because pkg/sftp cuts it. If a server answers a read without data, pkg/sftp asks
//     again, forever. pkg/sftp drops what a server says when it refuses with "no such file" or "permission denied", and
//     sends RMDIR after a refused REMOVE.
//   - Servers differ in the order of the two paths of a symbolic link. On a server that does not identify itself, the
//     first SymlinkIfPossible makes another symbolic link beside the new one and removes it. If the connection is lost
//     in between, that symbolic link stays.
//   - An open directory is listed by its name, which may belong to another directory by then.
//
// # Servers
//
// SERVERS.md, beside this file, lists the servers with which the package is tested, and what to know about each.
package sftpfs
