// Package sftptest is an SFTP server inside the process, for tests and for trying things out.
//
// It listens on loopback and serves any afero.Fs, by default a tree in memory. It answers like OpenSSH: the same status codes,
// posix-rename, exclusive creation, appending, symbolic links, handles that outlive renames and removals. It executes the requests
// of a channel in order.
//
// It can misbehave, too:
//
//   - A [Character] makes it behave like servers of other makes, for example [DropFolder], [NoRename] or [ObjectStore]. Characters
//     combine.
//   - A [Hook] decides about each request: it refuses, delays or drops it, executes it later, changes it or its answer, or cuts the
//     connection before or after it.
//   - [Options] limit logins, channels, handles, requests in flight and packets, and set a latency and a bandwidth.
//   - [Server.Stop] and [Server.Start] restart it on the same address, [Server.Disconnect] drops its connections, and
//     [Server.Freeze] makes it fall silent.
//
// It is not meant to be reached by anyone but its own process: it keeps no logs.
package sftptest
