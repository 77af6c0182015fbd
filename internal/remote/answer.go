package remote

import (
	"errors"
	"io/fs"
	"math"
	"slices"
	"syscall"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Answer is what the remote said about a name. The zero value is that nothing is known.
type Answer struct {
	Known  tree.Answer
	Kind   tree.Kind
	Meta   tree.Meta
	Target string // of a link
	// Err is why the answer is not Exists: an error matching fs.ErrNotExist if it is Absent, else the reason for
	// which nothing is known.
	Err error
	// At is when that was said, if it is not an answer to this call.
	At int64
	// Shown is the content of a file of the user's that hides what the remote has, if that has to be the same to be
	// removed; see mirror.View.Shadow.
	Shown *tree.Hash
}

// Listing is what the remote said about a directory.
type Listing struct {
	Entries map[string]Answer
	Err     error // as that of an Answer
	At      int64 // when it was said, if that was not to this call
}

// Dirs are the names of the directories, sorted.
func (l Listing) Dirs() (dirs []string) {
	for name, a := range l.Entries {
		if a.Kind == tree.Dir {
			dirs = append(dirs, name)
		}
	}
	slices.Sort(dirs)
	return dirs
}

// MetaOf is what a description says.
func MetaOf(fi fs.FileInfo) tree.Meta {
	size := fi.Size()
	if size < 0 { // stated as more than there is a number for
		size = math.MaxInt64
	}
	return tree.Meta{Mode: fi.Mode(), Size: size, MTime: fi.ModTime().UnixNano()}
}

func refusal(err error) Answer {
	err = Error(err)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return Answer{Known: tree.Absent, Err: err}
	}
	return Answer{Err: err}
}
