package localdir

import (
	"io/fs"
	"time"
)

// Stamp tells one state of a file from another without reading it. Two stamps of one file are compared for equality.
type Stamp struct {
	Size  int64  // bytes
	MTime int64  // modification time, nanoseconds since 1970; wraps outside the years 1678 to 2262
	CTime int64  // time of the last change of the inode, like MTime; 0: unknown
	Ino   uint64 // inode number; 0: unknown
}

// Info describes a file, directory or symbolic link at one moment.
type Info struct {
	Name  string      // base name
	Mode  fs.FileMode // type and permission bits
	Stamp Stamp
}

// IsDir reports whether i describes a directory.
func (i Info) IsDir() bool { return i.Mode.IsDir() }

// IsRegular reports whether i describes a regular file.
func (i Info) IsRegular() bool { return i.Mode.IsRegular() }

// Size returns the length in bytes of a regular file; for others the value is system-dependent.
func (i Info) Size() int64 { return i.Stamp.Size }

// ModTime returns Stamp.MTime as a time.
func (i Info) ModTime() time.Time { return time.Unix(0, i.Stamp.MTime) }

// newInfo reads the mtime before the size, because fi may be live. If another goroutine writes in between, the stamp
// matches no state, and the change is detected. In the other order, the stamp could match the later state.
func newInfo(name string, fi fs.FileInfo) Info {
	mtime := fi.ModTime().UnixNano()
	return Info{Name: name, Mode: fi.Mode(), Stamp: Stamp{Size: fi.Size(), MTime: mtime}}
}
