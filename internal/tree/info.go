package tree

import (
	"io/fs"
	"path"
	"strings"
	"time"
)

// Info is an fs.FileInfo: a name, and its Meta at one moment.
type Info struct {
	name string
	meta Meta
}

var _ fs.FileInfo = Info{}

// NewInfo describes what was found under a path.
func NewInfo(name string, meta Meta) Info {
	if name == "" || strings.IndexByte(name, '/') >= 0 {
		name = path.Base("/" + name)
	}
	return Info{name, meta}
}

// Meta is what is described.
func (i Info) Meta() Meta { return i.meta }

// Name is the base name; "/" for the root.
func (i Info) Name() string { return i.name }

// Size is the length in bytes.
func (i Info) Size() int64 { return i.meta.Size }

// Mode holds the permission bits and the type.
func (i Info) Mode() fs.FileMode { return i.meta.Mode }

// ModTime is the modification time, as exact as its source has it.
func (i Info) ModTime() time.Time { return time.Unix(0, i.meta.MTime) }

// IsDir reports whether it is a directory.
func (i Info) IsDir() bool { return i.meta.Mode.IsDir() }

// Sys is nil.
func (i Info) Sys() any { return nil }
