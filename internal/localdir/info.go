package localdir

import (
	"io/fs"
	"time"
)

// Stamp is what tells one state of a file from another without reading it. Stamps of one file are compared for
// equality.
type Stamp struct {
	Size  int64  // bytes
	MTime int64  // modification time, nanoseconds since 1970; wraps outside the years 1678 to 2262
	CTime int64  // time of the last change to the inode, like MTime; 0: not known
	Ino   uint64 // inode number; 0: not known
}

// Info describes a file, directory or link at one moment.
type Info struct {
	Name  string      // the last element of its name
	Mode  fs.FileMode // type and permission bits
	Stamp Stamp
}

// IsDir reports whether i describes a directory.
func (i Info) IsDir() bool { return i.Mode.IsDir() }

// IsRegular reports whether i describes a regular file.
func (i Info) IsRegular() bool { return i.Mode.IsRegular() }

// Size is the length in bytes of a regular file; for others it is whatever the system says.
func (i Info) Size() int64 { return i.Stamp.Size }

// ModTime is Stamp.MTime as a time.
func (i Info) ModTime() time.Time { return time.Unix(0, i.Stamp.MTime) }

// newInfo reads mtime before size: if another goroutine writes in between to a file whose fi is live, the stamp
// matches neither state, which is noticed, rather than the later one, which would not be.
func newInfo(name string, fi fs.FileInfo) Info {
	mtime := fi.ModTime().UnixNano()
	return Info{Name: name, Mode: fi.Mode(), Stamp: Stamp{Size: fi.Size(), MTime: mtime}}
}
