package sftpfs

import (
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/invalid"
)

const (
	maxName = 255
	maxPath = 4096
)

// clean returns name as a path below the root: absolute, without dots and doubled slashes. It refuses a NUL, because
// OpenSSH drops the session of a client that sends one.
func clean(name string) (string, error) {
	if strings.ContainsRune(name, 0) {
		return "", invalid.Argument
	}
	return path.Clean("/" + filepath.ToSlash(name)), nil
}

// on returns the path on the server of the clean path p.
func (s *session) on(p string) string {
	switch {
	case s.root == "/":
		return p
	case p == "/":
		return s.root
	}
	return s.root + p
}

// target returns what to store in a symbolic link for the target that a program gave: a relative one unchanged, an
// absolute one below the root.
func (s *session) target(t string) string {
	if !strings.HasPrefix(t, "/") {
		return t
	}
	return s.on(path.Clean(t))
}

// shown is the inverse of target. An absolute target outside the root stays unchanged.
func (s *session) shown(t string) string {
	if s.root == "/" {
		return t
	}
	if t == s.root {
		return "/"
	}
	if rest, below := strings.CutPrefix(t, s.root+"/"); below {
		return "/" + rest
	}
	return t
}

// inside reports whether the clean path p lies below the clean path dir.
func inside(p, dir string) bool {
	return dir == "/" && p != "/" || strings.HasPrefix(p, dir+"/")
}

// tooLong turns a bare failure into syscall.ENAMETOOLONG if full, or one of its elements, is long enough to be the
// reason.
func tooLong(err error, full string) error {
	if !refused(err) {
		return err
	}
	if len(full) >= maxPath {
		return syscall.ENAMETOOLONG
	}
	for name := range strings.SplitSeq(full, "/") {
		if len(name) > maxName {
			return syscall.ENAMETOOLONG
		}
	}
	return err
}
