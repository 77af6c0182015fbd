package memremote

import (
	"io/fs"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// info is a localdir.Info as an fs.FileInfo.
type info struct{ localdir.Info }

var _ fs.FileInfo = info{}

func (i info) Name() string      { return i.Info.Name }
func (i info) Mode() fs.FileMode { return i.Info.Mode }
func (i info) Sys() any          { return nil }
