package sftptest

import (
	"slices"
	"strings"
)

// refusing refuses requests of some kinds. It does not announce those that are extensions.
func refusing(status Status, refused func(Kind) bool) Character {
	return func(o *Options) {
		o.hide(refused)
		o.Hooks = append(o.Hooks, func(r *Request) Answer {
			if refused(r.Kind) {
				return Refuse(status, "")
			}
			return r.Next()
		})
	}
}

func in(kinds ...Kind) func(Kind) bool {
	return func(k Kind) bool { return slices.Contains(kinds, k) }
}

// NoRename refuses to rename anything, with StatusOpUnsupported, and does not announce PosixRename. Gateways that only accept
// files do so.
func NoRename() Character { return refusing(StatusOpUnsupported, in(Rename, PosixRename)) }

// NoSetstat refuses to set sizes, owners, modes and times, with StatusOpUnsupported. Azure Blob Storage and AWS Transfer Family do
// so.
func NoSetstat() Character { return refusing(StatusOpUnsupported, in(Setstat, Fsetstat)) }

// NoFstat refuses to tell the attributes of an open file, with StatusOpUnsupported. Stat and Lstat tell them. Gateways to object
// stores do so.
func NoFstat() Character { return refusing(StatusOpUnsupported, in(Fstat)) }

// NoSymlink refuses to make and to read symbolic links, with StatusOpUnsupported. SFTPGo and rclone have none.
func NoSymlink() Character { return refusing(StatusOpUnsupported, in(Symlink, Readlink)) }

// Restricted refuses requests of the named kinds with StatusPermissionDenied, as OpenSSH's sftp-server does with its option -P.
// An extension is named with or without what follows the "@". The server does not announce it.
func Restricted(names ...Kind) Character {
	short := func(k Kind) string {
		name, _, _ := strings.Cut(string(k), "@")
		return name
	}
	return refusing(StatusPermissionDenied, func(k Kind) bool {
		return slices.ContainsFunc(names, func(name Kind) bool { return short(name) == short(k) })
	})
}

// WriteOnly lets clients write but not look: Stat, Lstat, Fstat, OpenDir, Readlink, and opening a file for reading fail with
// StatusPermissionDenied. Accounts for upload alone are like that, for example those of banks.
func WriteOnly() Character {
	blind := refusing(StatusPermissionDenied, in(Stat, Lstat, Fstat, OpenDir, ReadDir, Readlink))
	return func(o *Options) {
		blind(o)
		o.Hooks = append(o.Hooks, func(r *Request) Answer {
			if r.Kind == Open && (r.Flags&FlagRead != 0 || r.Flags&FlagWrite == 0) {
				return Refuse(StatusPermissionDenied, "")
			}
			return r.Next()
		})
	}
}

// Locked refuses Stat, Lstat and Fstat of a file while any client has it open, with StatusFailure. IBM Sterling does so.
func Locked() Character {
	return OnRequest(func(r *Request) Answer {
		if in(Stat, Lstat, Fstat)(r.Kind) && r.session.conn.server.handles.isOpen(r.Path) {
			return Refuse(StatusFailure, "")
		}
		return r.Next()
	})
}
