package mirror

import (
	"io/fs"
	"path"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Info is an fs.FileInfo, as it was at one moment.
type Info struct {
	name string
	meta tree.Meta
}

var _ fs.FileInfo = Info{}

// NewInfo describes what was found under a path.
func NewInfo(name string, meta tree.Meta) Info { return Info{path.Base("/" + name), meta} }

// Name is the base name; "/" for the root.
func (i Info) Name() string { return i.name }

// Size is the length in bytes.
func (i Info) Size() int64 { return i.meta.Size }

// Mode holds the permission bits and the type.
func (i Info) Mode() fs.FileMode { return i.meta.Mode }

// ModTime is the modification time, as exact as the remote (or, for what was changed here, the local disk) has it.
func (i Info) ModTime() time.Time { return time.Unix(0, i.meta.MTime) }

// IsDir says whether it is a directory.
func (i Info) IsDir() bool { return i.meta.Mode.IsDir() }

// Sys is nil.
func (i Info) Sys() any { return nil }
