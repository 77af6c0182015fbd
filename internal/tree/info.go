package tree

import (
	"io/fs"
	"path"
	"strings"
	"time"
)

// Info is an fs.FileInfo: a name and its Meta at one moment.
type Info struct {
	name string
	meta Meta
}

var _ fs.FileInfo = Info{}

// NewInfo returns the Info of a path with that Meta.
func NewInfo(name string, meta Meta) Info {
	if name == "" || strings.IndexByte(name, '/') >= 0 {
		name = path.Base("/" + name)
	}
	return Info{name, meta}
}

// Meta returns the described metadata.
func (i Info) Meta() Meta { return i.meta }

// Name returns the base name; "/" for the root.
func (i Info) Name() string { return i.name }

// Size returns the length in bytes.
func (i Info) Size() int64 { return i.meta.Size }

// Mode returns the permission bits and the type.
func (i Info) Mode() fs.FileMode { return i.meta.Mode }

// ModTime returns the modification time, with the precision of its source.
func (i Info) ModTime() time.Time { return time.Unix(0, i.meta.MTime) }

// IsDir reports whether it describes a directory.
func (i Info) IsDir() bool { return i.meta.Mode.IsDir() }

// Sys returns nil.
func (i Info) Sys() any { return nil }
