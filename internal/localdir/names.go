package localdir

import (
	"io/fs"
	"path/filepath"
	"runtime"
	"strings"
)

// MaxPath is the length in bytes that a path below the root may have, as PATH_MAX has it on Linux; a longer one is
// syscall.ENAMETOOLONG. It also bounds how deep a tree is that is walked: a hostile server can make one without an end.
const MaxPath = 4095

// Names that belong to the library.
const (
	// StateDir is the directory at the root that holds everything the library keeps: its state, and the
	// directories TmpDir, PartialDir, TrashDir and DiscardedDir. Open makes them.
	StateDir = ".syncfs"

	TmpDir       = StateDir + "/tmp"
	PartialDir   = StateDir + "/partial"
	TrashDir     = StateDir + "/trash"
	DiscardedDir = StateDir + "/discarded"

	// NamesDir is there once the directory has been on a disk that does not keep all names apart. It holds the names
	// whose escape is a hash.
	NamesDir = StateDir + "/names"

	// Prefix begins the temporary names that stand beside their targets, and the escaped ones.
	Prefix = ".syncfs-"
)

// Reserved reports whether base, a single name and not a path, is one the library keeps for itself: StateDir, or
// anything that begins with Prefix. Case does not matter, because it does not to some file systems.
func Reserved(base string) bool {
	return strings.EqualFold(base, StateDir) ||
		len(base) >= len(Prefix) && strings.EqualFold(base[:len(Prefix)], Prefix)
}

// valid reports whether name is clean and relative to the root. Package fs has UTF-8 only; a Unix file system has any
// bytes.
func valid(name string) bool {
	return fs.ValidPath(strings.ToValidUTF8(name, "_")) && strings.IndexByte(name, 0) < 0
}

// localize turns a name into a path of the operating system, without a leading separator. It refuses, with
// fs.ErrInvalid, what is not a clean relative name or cannot be a single path here.
func localize(name string) (string, error) {
	// Package fs has UTF-8 only; a Unix file system has any bytes.
	valid := name
	if runtime.GOOS != "windows" {
		valid = strings.ToValidUTF8(name, "_")
	}
	local, err := filepath.Localize(valid)
	if err != nil {
		return "", fs.ErrInvalid
	}
	if valid != name {
		return name, nil
	}
	return local, nil
}
