package sftptest

// A Kind is what a Request asks for. The kinds have the names that OpenSSH's sftp-server uses in its options -p and -P. A
// request for a protocol extension has the extension's full name, for example "limits@openssh.com".
type Kind string

// The kinds of requests that the server executes. It refuses all others with StatusOpUnsupported.
const (
	Open        Kind = "open"
	Close       Kind = "close"
	Read        Kind = "read"
	Write       Kind = "write"
	Lstat       Kind = "lstat"
	Fstat       Kind = "fstat"
	Setstat     Kind = "setstat"
	Fsetstat    Kind = "fsetstat"
	OpenDir     Kind = "opendir"
	ReadDir     Kind = "readdir"
	Remove      Kind = "remove"
	Mkdir       Kind = "mkdir"
	Rmdir       Kind = "rmdir"
	Realpath    Kind = "realpath"
	Stat        Kind = "stat"
	Rename      Kind = "rename"
	Readlink    Kind = "readlink"
	Symlink     Kind = "symlink"
	PosixRename Kind = "posix-rename@openssh.com" // a Rename that replaces what has the new name
)

// kinds are the kinds that have a packet type of their own.
var kinds = [...]Kind{
	3: Open, 4: Close, 5: Read, 6: Write, 7: Lstat, 8: Fstat, 9: Setstat, 10: Fsetstat, 11: OpenDir, 12: ReadDir,
	13: Remove, 14: Mkdir, 15: Rmdir, 16: Realpath, 17: Stat, 18: Rename, 19: Readlink, 20: Symlink,
}

// kindOf returns the kind of a packet type, "" if there is none.
func kindOf(packetType byte) Kind {
	if int(packetType) < len(kinds) {
		return kinds[packetType]
	}
	return ""
}
