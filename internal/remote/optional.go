package remote

import (
	"os"

	"github.com/spf13/afero"

	contract "github.com/sftpsyncer/go-syncfs/cachefs/remote"
)

// Optional returns the remote, bound to r's context, as T if the remote has the methods of T. A wrapper has the methods
// whether or not the wrapped Fs has them, so that one is checked.
func Optional[T any](r *Remote) (optional T, ok bool) {
	if _, ok := r.base.(T); !ok {
		return optional, false
	}
	optional, ok = r.fs.(T)
	return optional, ok
}

// OptionalFile is the same for an open file of the remote.
func OptionalFile[T any](f afero.File) (optional T, ok bool) {
	if a, wrapped := f.(abandoningFile); wrapped {
		if _, ok := a.base.(T); !ok {
			return optional, false
		}
	}
	optional, ok = f.(T)
	return optional, ok
}

// ReadsAtOnce reports whether a file can be read in several places at once, and during Read. io.ReaderAt promises that,
// but a file in memory moves its position, and a wrapper does not tell what it wraps.
func ReadsAtOnce(f afero.File) bool {
	switch f := f.(type) {
	case *os.File:
		return true
	case *afero.BasePathFile:
		return ReadsAtOnce(f.File)
	case abandoningFile:
		return ReadsAtOnce(f.base)
	case contract.ParallelReader:
		return f.ReadsAtOnce()
	}
	return false
}
