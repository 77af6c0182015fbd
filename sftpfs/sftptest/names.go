package sftptest

import (
	"path"
	"slices"
	"strings"
)

// Suffixes refuses, with StatusPermissionDenied, to make a file whose name ends in none of the suffixes, or to rename one to such a
// name. Directories may have any name. SFTPGo can be configured to do so.
func Suffixes(suffixes ...string) Character {
	allowed := func(name string) bool {
		return slices.ContainsFunc(suffixes, func(suffix string) bool { return strings.HasSuffix(name, suffix) })
	}
	return OnRequest(func(r *Request) Answer {
		if made := r.makes(); made != "" && !allowed(made) && !r.makesDir() {
			return Refuse(StatusPermissionDenied, "")
		}
		return r.Next()
	})
}

// makesDir reports whether what the request makes or renames is a directory.
func (r *Request) makesDir() bool {
	if r.Kind == Rename || r.Kind == PosixRename {
		fi, err := r.tree().lstat(r.Path)
		return err == nil && fi.IsDir()
	}
	return r.Kind == Mkdir
}

// NoDots hides names that begin with a dot: they are in no listing, and a request for one fails with StatusNoSuchFile. Making one
// fails with StatusPermissionDenied. Some hosting providers do so.
func NoDots() Character {
	dotted := func(name string) bool { return strings.Contains(name, "/.") }
	return OnRequest(func(r *Request) Answer {
		switch {
		case dotted(r.makes()):
			return Refuse(StatusPermissionDenied, "")
		case dotted(r.Path):
			return Refuse(StatusNoSuchFile, "")
		}
		a := r.Next()
		if r.Kind == ReadDir {
			a.Entries = slices.DeleteFunc(a.Entries, func(e Entry) bool { return dotted(path.Join("/", e.Name)) })
		}
		return a
	})
}
