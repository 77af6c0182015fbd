package localdir

import (
	"io/fs"
	"path/filepath"
	"runtime"
	"strings"
)

// MaxPath is the longest path below the root, in bytes, like PATH_MAX on Linux. The error for a longer path is
// syscall.ENAMETOOLONG. MaxPath also bounds the depth of a tree walk: a hostile server can present a tree without an
// end.
const MaxPath = 4095

// Names that belong to the library.
const (
	// StateDir is the directory at the root that holds everything of the library: its state, and the directories TmpDir,
	// PartialDir, TrashDir and DiscardedDir. Open makes them.
	StateDir = ".syncfs"

	TmpDir       = StateDir + "/tmp"
	PartialDir   = StateDir + "/partial"
	TrashDir     = StateDir + "/trash"
	DiscardedDir = StateDir + "/discarded"

	// NamesDir exists if the directory has ever been on a disk that does not keep all names apart. It holds the names
	// whose escape is a hash.
	NamesDir = StateDir + "/names"

	// Prefix begins the names of temporary files beside their targets, and escaped names.
	Prefix = ".syncfs-"
)

// Reserved reports whether base, a single name and not a path, belongs to the library: StateDir, or any name that
// begins with Prefix. It ignores case, because some file systems do.
func Reserved(base string) bool {
	return strings.EqualFold(base, StateDir) ||
		len(base) >= len(Prefix) && strings.EqualFold(base[:len(Prefix)], Prefix)
}

// valid reports whether name is clean and relative to the root. The package fs accepts only UTF-8, but a Unix file
// system accepts any bytes.
func valid(name string) bool {
	return fs.ValidPath(strings.ToValidUTF8(name, "_")) && strings.IndexByte(name, 0) < 0
}

// localize turns a name into a path of the operating system, without a leading separator. The error is fs.ErrInvalid
// for anything but a clean relative name, and for a name that is not a single path here.
func localize(name string) (string, error) {
	// Package fs accepts only UTF-8, but a Unix file system accepts any bytes.
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
