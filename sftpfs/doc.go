// Package sftpfs is an afero.Fs on an SFTP server that behaves like package os.
//
// New checks a Config and does not touch the network: the first call that needs the server connects, under one
// deadline for everything that connecting takes. A connection that is lost, or on which the server falls silent,
// is replaced by the next call.
//
// # What holds
//
//   - Names are slash-separated and taken below Config.Root, which is "/"; ".." stops there. "a", "/a" and "./a"
//     are one name.
//   - Errors are *fs.PathError or *os.LinkError with the errno that package os would give, so errors.Is finds
//     fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrInvalid and fs.ErrClosed. SFTP itself has one code for
//     most failures; what was meant is found by looking at the names involved. A failure that stays unexplained
//     is syscall.EIO with the server's own words.
//   - A server that gives no answer is ErrUnavailable, never fs.ErrNotExist.
//   - The host key is always checked, that of each host on the way, too. Certificates of known authorities count.
//   - Neither SHA-1 (in key exchange, MACs, and signatures by ssh-rsa) nor CBC and RC4 are offered, unless
//     Config.Algorithms or ssh_config has them.
//   - Operations that can be repeated (stat, listing, readlink, open for reading) are sent again once when the
//     connection is lost under them, and so is MkdirAll. Writes, renames, removals and everything else that changes
//     the server are never sent twice: their error matches ErrUnavailable and says that the outcome is unknown.
//   - A file that was opened for reading is read on, at its offset, on a new connection, if its name still leads to a
//     file of the same size and time. What those were is asked for by the first read.
//   - Any number of calls and open files share a few SFTP channels. More are made when there is a crowd, and for big
//     copies over a long line, of which one channel carries at most 2 MiB a round trip. What is idle is given back.
//     A server that refuses a channel, a connection or another open file is used with what it allows.
//   - Where the server is known to carry requests out in the order in which it gets them (OpenSSH's), what does not depend
//     on an answer does not wait for it: a listing takes one round trip, and so do reading a small file whole
//     (ReadVersion) and writing one (Stage). Anything but the answer that was hoped for has the usual way gone.
//   - Connecting takes as many round trips as SSH and SFTP ask for: with a key, one for TCP, six to log in, three to SFTP.
//     The first call on OpenSSH goes out before the last of them. If what the server runs turns out to speak no SFTP, the
//     call fails with ErrUnavailable.
//   - Copies (File.WriteTo and File.ReadFrom, which io.Copy uses) that run at the same time share the channels fairly.
//     All together they hold 2 MiB for each channel and a packet (32 KiB, or 255 KiB over a short line) for each copy.
//   - While an answer is awaited, the connection is never silent for longer than Config.IdleTimeout. If one request blocks
//     its channel, only that channel is given up, after Config.IdleTimeout or Config.RequestTimeout. Calls that only look
//     leave it before; so do reads of open files when it is given up, if it is known which version they read. After a
//     failure to connect, calls fail at once for a while, up to two seconds.
//   - What a server sends is data: an answer that can't be meant ends the call or the connection, with an error. A
//     listing ends with an error, fs.ErrInvalid, at a name with a slash or a NUL or of more than 4,096 bytes, when 256
//     answers in a row have had no new entry, and when it takes about 1 GiB of memory: OpenSSH's do so at four million
//     entries with names of 20 bytes.
//   - The end of a file is believed only at the size the server states, so a short answer never shortens a copy.
//   - An Fs and its files may be used by many goroutines at once.
//
// # What does not
//
//   - Times are whole seconds from 1970 to 2106.
//   - The mode given to OpenFile, Mkdir and MkdirAll is set by a second request, right after the file was made,
//     less the bits that the server's umask took. A file that exists is never chmodded.
//   - O_APPEND is atomic where the server honours it. Others are sent the end of the file as this side knows it.
//   - Rename replaces an existing file atomically where the server offers posix-rename@openssh.com. Elsewhere the
//     plain SFTP rename is sent, which most servers refuse when the target exists (fs.ErrExist); a few replace it.
//     Two requests never stand in for one, unless Config.AllowNonAtomicReplace has it so.
//   - Between the look at a name and the request that acts on it lies a round trip: that Remove and Rename spare a
//     directory which takes the place of a file within it is up to the server.
//   - File.Sync needs a server that offers fsync@openssh.com, and is errors.ErrUnsupported elsewhere.
//   - An open file belongs to the connection it was opened on and fails with ErrUnavailable once that is lost; see
//     above for the exception.
//   - Link targets that are absolute are taken below Root on the way in and on the way out, relative ones stay as
//     they are. Links are followed by the server, which knows of no Root: they may lead outside.
//   - Servers have one answer for a name that does not exist, one that leads through a file, and a loop of links:
//     all are fs.ErrNotExist.
//   - Over a client of NewClient nothing is known of channels, limits and silence, and a listed name is what stands
//     behind its last slash: pkg/sftp has cut it by then. A server that answers a read with nothing is asked again for
//     ever there.
//   - Not all servers read the two paths of a link in the same order. On one that does not say who it is, the first
//     link costs another one, made and removed beside it, which is left if the connection is lost in between.
//   - A directory that is open is listed by its name, which somebody may have given to another one meanwhile.
//
// # Servers
//
// Each of these was held to the conformance suite of 617 cases, to testing/fstest, and to 100 random histories beside a
// plain directory. What did not pass is about what SFTP can't say (whole seconds, one answer for all that is not there:
// 9 cases) or what the server can't do; the tests declare each with its reason. None failed. With the servers installed
// (.ci/full says how),
//
//	SYNCFS_FULL=1 go test -run TestServers -v ./sftpfs
//
// prints this table but for its last three columns.
//
//	server                            passed  declared  replaces  fsync  what it can't do
//	OpenSSH 9.2 internal-sftp         608     9         yes       yes
//	  chroot and ForceCommand         608     9         yes       yes
//	  MaxSessions 1                   608     9         yes       yes
//	OpenSSH 9.2 sftp-server           608     9         yes       yes
//	  extensions off (-P)             596     21        no        no
//	  setstat refused (-P)            570     47        yes       yes    modes, owners and times of a name
//	dropbear 2022.83 and sftp-server  608     9         yes       yes
//	ProFTPD 1.3.8 mod_sftp            585     32        yes       yes    says where links lead, not what they hold
//	asyncssh 2.10                     606     11        yes       yes    reads what it made through the handle that made it
//	node ssh2 1.17                    594     23        no        no     no names that are not UTF-8
//	pkg/sftp 1.13 Server              605     12        yes       no     appends at the end that this side knows
//	package sftptest                  605     12        yes       no
//	rclone 1.60 serve sftp            358     259       yes       no     no modes, owners and links; opening a file for
//	                                                                     writing empties it. It takes new files, whole
//
// A read-only OpenSSH (-R) refuses what changes with fs.ErrPermission. On a full disk a write is syscall.ENOSPC if the
// server says how full it is (statvfs@openssh.com), else syscall.EIO.
package sftpfs
