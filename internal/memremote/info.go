package memremote

import (
	"io"
	"io/fs"
	"os"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// info is a localdir.Info as an fs.FileInfo.
type info struct{ localdir.Info }

var _ fs.FileInfo = info{}

func (i info) Name() string      { return i.Info.Name }
func (i info) Mode() fs.FileMode { return i.Info.Mode }
func (i info) Sys() any          { return nil }

// pathError gives an error operation and path in the place of those it has. io.EOF stays what it is.
func pathError(op, name string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &fs.PathError{Op: op, Path: name, Err: cause(err)}
}

func cause(err error) error {
	switch e := err.(type) { //nolint:errorlint // only the outermost layer
	case *fs.PathError:
		return e.Err
	case *os.LinkError:
		return e.Err
	}
	return err
}
