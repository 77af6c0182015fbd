package mirror

import "github.com/spf13/afero"

// Optional returns the remote, bound to m's context, as T if it has the methods of T. (A wrapper has them whether or not
// what it wraps does.)
func Optional[T any](m *FS) (remote T, ok bool) {
	if _, ok := m.base.(T); !ok {
		return remote, false
	}
	remote, ok = m.remote.(T)
	return remote, ok
}

// OptionalFile is the same for an open file of the remote.
func OptionalFile[T any](f afero.File) (file T, ok bool) {
	if a, wrapped := f.(abandoningFile); wrapped {
		if _, ok := a.base.(T); !ok {
			return file, false
		}
	}
	file, ok = f.(T)
	return file, ok
}
