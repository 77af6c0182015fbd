package sftpfs

import "io/fs"

const special = fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// masked returns the mode to set on a file that was just made with the mode made when perm was wanted, and whether that
// is a change. The server's umask is unknown, but shows in the bits that it left: a class that may not read may not
// execute either, and a new file is never executable. Bits that a directory inherits stay.
func masked(perm, made fs.FileMode) (mode fs.FileMode, change bool) {
	left := made.Perm()
	if left == 0 {
		return 0, false // the server states no modes
	}
	left |= left & 0o444 >> 2
	mode = perm.Perm()&left | (perm|made)&special
	return mode, mode != made&(fs.ModePerm|special)
}
