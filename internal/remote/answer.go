package remote

import (
	"io/fs"
	"math"
	"slices"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Answer is what the remote said about a name. In the zero value, nothing is known.
type Answer struct {
	Known  tree.Answer
	Kind   tree.Kind
	Meta   tree.Meta
	Target string // of a symbolic link
	// Err is why Known is not Exists: an error of [Absent], or else the reason why nothing is known.
	Err error
	// At is the time of the answer, if it is from an earlier call.
	At int64
	// Shown is the hash of a file of the user that hides the remote's file, if the remote's file must have the same
	// content to be removed; see shadowOf in package syncfs.
	Shown *tree.Hash
}

// Listing is the remote's list of a directory.
type Listing struct {
	Entries map[string]Answer
	Err     error // like Answer.Err
	At      int64 // like Answer.At
}

// Dirs returns the names of the directories, sorted.
func (l Listing) Dirs() (dirs []string) {
	for name, a := range l.Entries {
		if a.Kind == tree.Dir {
			dirs = append(dirs, name)
		}
	}
	slices.Sort(dirs)
	return dirs
}

// MetaOf returns the metadata in a description.
func MetaOf(fi fs.FileInfo) tree.Meta {
	size := fi.Size()
	if size < 0 { // the server stated more than an int64 holds
		size = math.MaxInt64
	}
	return tree.Meta{Mode: fi.Mode(), Size: size, MTime: fi.ModTime().UnixNano()}
}

func refusal(err error) Answer {
	err = Error(err)
	if Absent(err) {
		return Answer{Known: tree.Absent, Err: err}
	}
	return Answer{Err: err}
}
