// Package sftptest is an SFTP server inside the process, for tests and for trying things out.
//
// It listens on the loopback interface, answers like OpenSSH (the same status codes, posix-rename, exclusive creation,
// appending, symbolic links, handles that outlive renames and removals), and serves any afero.Fs, by default a tree in
// memory. It can be stopped and started again on the same address, drop its connections, and fall silent.
//
// It is meant for its own process only: it has no limits and no logs.
package sftptest
