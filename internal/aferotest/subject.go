package aferotest

import (
	"testing"

	"github.com/spf13/afero"
	"pgregory.net/rapid"
)

// Capability is something an Fs may declare that it can't do.
type Capability string

const (
	// Links means that the Fs is an afero.Symlinker and follows symbolic links.
	Links Capability = "Links"
	// Chmod means that permission bits can be set, and are shown by Stat.
	Chmod Capability = "Chmod"
	// Chown means that owners can be set to the ones a file has already.
	Chown Capability = "Chown"
	// Chtimes means that modification times can be set, to the second at least.
	Chtimes Capability = "Chtimes"
	// SubSecondTimes means that Chtimes keeps milliseconds.
	SubSecondTimes Capability = "SubSecondTimes"
	// CreateMode means that the permission bits given at creation are those of the new
	// file, less those that the umask of the process takes away.
	CreateMode Capability = "CreateMode"
	// AtomicReplace means that Rename replaces an existing file in one step.
	AtomicReplace Capability = "AtomicReplace"
	// ExclusiveCreate means that O_CREATE|O_EXCL has exactly one winner.
	ExclusiveCreate Capability = "ExclusiveCreate"
	// AtomicAppend means that O_APPEND writes at the end of the file as it is at that
	// moment, whatever other handles wrote.
	AtomicAppend Capability = "AtomicAppend"
	// OpenRenamed means that handles go on working when their file is renamed.
	OpenRenamed Capability = "OpenRenamed"
	// OpenRemoved means that handles go on working when their file is removed.
	OpenRemoved Capability = "OpenRemoved"
	// LiveHandles means that a handle that was open for reading before a file is changed
	// through another one sees the change.
	LiveHandles Capability = "LiveHandles"
	// OpenDirectories means that handles of directories go on listing when their
	// directory is renamed.
	OpenDirectories Capability = "OpenDirectories"
	// DirectoryTimes means that the modification time of a directory changes with its
	// entries.
	DirectoryTimes Capability = "DirectoryTimes"
	// LongNames means that a name may be 255 bytes long; a longer one is an error.
	LongNames Capability = "LongNames"
	// OddNames means that a name may hold any byte but a slash and NUL.
	OddNames Capability = "OddNames"
	// Sync means that File.Sync succeeds.
	Sync Capability = "Sync"
	// FullFiles means that open files have the methods of *os.File that afero.File lacks:
	// ReadDir, ReadFrom, WriteTo.
	FullFiles Capability = "FullFiles"
	// NotDirErrors means that a path that leads through a file is another error than
	// fs.ErrNotExist.
	NotDirErrors Capability = "NotDirErrors"
)

// Subject is an implementation of afero.Fs under test.
type Subject struct {
	// New returns an Fs with an empty root. It is called once for each case (or
	// each random sequence); t.Cleanup and t.TempDir end with that case, so New
	// should be cheap: share a server, not its directory.
	New func(t testing.TB) afero.Fs

	// Incapable holds what the Fs can't do, each with the reason why.
	Incapable map[Capability]string

	// Sometimes is called by Differential at random points of each sequence and
	// at its end, if it is not nil. All files are closed then. It may check what
	// the subject has made of the calls so far against the oracle, and may act
	// on what is behind the subject, but must leave both trees as they are.
	Sometimes func(t rapid.TB, subject, oracle afero.Fs)
}

// lacks returns the first of the needed capabilities that s is declared not to
// have.
func (s Subject) lacks(needs []Capability) (Capability, bool) {
	for _, n := range needs {
		if _, ok := s.Incapable[n]; ok {
			return n, true
		}
	}
	return "", false
}
