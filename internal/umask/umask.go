// Package umask finds out a server's umask, which SFTP does not tell.
package umask

import "io/fs"

// Left returns the permission bits that the umask leaves to a new file. It shows in the mode with which the server has
// made one: a class that may not read may not execute either, and a new file is never executable. 0: the server states
// no modes.
func Left(made fs.FileMode) fs.FileMode {
	left := made.Perm()
	return left | left&0o444>>2
}
