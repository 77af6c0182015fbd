package mirror

import (
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// Clean maps a name given by a program to a path below the root, which is ".": "/a/./b/", "a/b" and "../a/b" are the
// same. The error is fs.ErrInvalid.
func Clean(name string) (string, error) {
	if strings.IndexByte(name, 0) >= 0 {
		return "", fs.ErrInvalid
	}
	name = path.Clean("/" + filepath.ToSlash(name))[1:]
	if name == "" {
		return ".", nil
	}
	return name, nil
}

// Clean is the function Clean for a name that the program gave. It also tells the local directory and the remote how
// the program spells names, because a file system in memory takes "a" and "/a" for two names.
func (m *FS) Clean(name string) (string, error) {
	m.local.Spelled(name)
	m.remote.Spelled(name)
	return Clean(name)
}

// Creatable returns fs.ErrInvalid if a new file may not have this base name: names with the library's own prefix are
// reserved.
func Creatable(base string) error {
	if localdir.Reserved(base) {
		return fs.ErrInvalid
	}
	return nil
}

// elements splits a clean path.
func elements(name string) []string {
	if name == "." {
		return nil
	}
	return strings.Split(name, "/")
}
