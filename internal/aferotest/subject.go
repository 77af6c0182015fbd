package aferotest

import (
	"testing"

	"github.com/spf13/afero"
	"pgregory.net/rapid"
)

// Capability is something that an Fs may declare to lack.
type Capability string

const (
	// Links means that the Fs is an afero.Symlinker and follows symbolic links.
	Links Capability = "Links"
	// Chmod means that permission bits can be set, and Stat shows them.
	Chmod Capability = "Chmod"
	// Chown means that owners can be set to those that a file already has.
	Chown Capability = "Chown"
	// Chtimes means that modification times can be set, at least in whole seconds.
	Chtimes Capability = "Chtimes"
	// SubSecondTimes means that Chtimes keeps milliseconds.
	SubSecondTimes Capability = "SubSecondTimes"
	// CreateMode means that a new file has the permission bits given at its creation, without those that the umask of the
	// process removes.
	CreateMode Capability = "CreateMode"
	// Truncate means that File.Truncate sets the size of a file.
	Truncate Capability = "Truncate"
	// AtomicReplace means that Rename replaces an existing file in one step.
	AtomicReplace Capability = "AtomicReplace"
	// ExclusiveCreate means that O_CREATE|O_EXCL has exactly one winner.
	ExclusiveCreate Capability = "ExclusiveCreate"
	// AtomicAppend means that O_APPEND writes at the end that the file has at that moment, whatever other handles have
	// written.
	AtomicAppend Capability = "AtomicAppend"
	// OpenRenamed means that handles continue to work when their file is renamed.
	OpenRenamed Capability = "OpenRenamed"
	// OpenRemoved means that handles continue to work when their file is removed.
	OpenRemoved Capability = "OpenRemoved"
	// LiveHandles means that a handle that was opened for reading before a file is changed through another handle sees the
	// change.
	LiveHandles Capability = "LiveHandles"
	// OpenDirectories means that handles of directories continue to list when their directory is renamed.
	OpenDirectories Capability = "OpenDirectories"
	// DirectoryTimes means that the modification time of a directory changes with its entries.
	DirectoryTimes Capability = "DirectoryTimes"
	// LongNames means that a name may have 255 bytes; a longer one is an error.
	LongNames Capability = "LongNames"
	// OddNames means that a name may contain any byte but a slash and NUL.
	OddNames Capability = "OddNames"
	// Sync means that File.Sync succeeds.
	Sync Capability = "Sync"
	// FullFiles means that open files have the methods of *os.File that afero.File lacks: ReadDir, ReadFrom, WriteTo.
	FullFiles Capability = "FullFiles"
	// NotDirErrors means that the error for a path that leads through a file does not match fs.ErrNotExist.
	NotDirErrors Capability = "NotDirErrors"
)

// Subject is an implementation of afero.Fs under test.
type Subject struct {
	// New returns an Fs with an empty root. It is called once for each case or random sequence. t.Cleanup and t.TempDir
	// end with that case, so New should be cheap: share a server, but not its directory.
	New func(t testing.TB) afero.Fs

	// Incapable holds the capabilities that the Fs lacks, each with the reason.
	Incapable map[Capability]string

	// Sometimes, if not nil, is called by Differential at random points of each sequence and at its end, when all files
	// are closed. It may compare the effects of the calls on the subject with the oracle, and may use whatever the subject
	// is based on, but must leave both trees unchanged.
	Sometimes func(t rapid.TB, subject, oracle afero.Fs)
}

// lacks returns the first of the needed capabilities that s declares to lack.
func (s Subject) lacks(needs []Capability) (Capability, bool) {
	for _, n := range needs {
		if _, ok := s.Incapable[n]; ok {
			return n, true
		}
	}
	return "", false
}
