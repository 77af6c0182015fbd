package localdir

import (
	"io/fs"
	"path/filepath"
	"runtime"
	"strings"
)

// Names that belong to the library.
const (
	// StateDir is the directory at the root that holds everything the library keeps: its state, and the
	// directories TmpDir, PartialDir, TrashDir and DiscardedDir. Open makes them.
	StateDir = ".syncfs"

	TmpDir       = StateDir + "/tmp"
	PartialDir   = StateDir + "/partial"
	TrashDir     = StateDir + "/trash"
	DiscardedDir = StateDir + "/discarded"

	// Prefix begins the temporary names that stand beside their targets.
	Prefix = ".syncfs-"
)

// Reserved reports whether base, a single name and not a path, is one the library keeps for itself: StateDir, or
// anything that begins with Prefix. Case does not matter, because it does not to some file systems.
func Reserved(base string) bool {
	return strings.EqualFold(base, StateDir) ||
		len(base) >= len(Prefix) && strings.EqualFold(base[:len(Prefix)], Prefix)
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
