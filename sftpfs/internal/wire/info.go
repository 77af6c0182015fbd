package wire

import (
	"fmt"
	"io/fs"
	"time"

	"github.com/pkg/sftp"
)

// NewInfo returns stat as the attributes of a file with this name. Sys of the result is stat. A negative size is a
// BadAnswer.
func NewInfo(name string, stat *sftp.FileStat) (fs.FileInfo, error) {
	i := info{name, stat}
	if i.Size() < 0 {
		return nil, BadAnswer(fmt.Sprintf("the server states a size of %d", i.Size()))
	}
	return i, nil
}

// An info holds the attributes of a file at one time.
type info struct {
	name string
	stat *sftp.FileStat
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return int64(i.stat.Size) }
func (i info) Mode() fs.FileMode  { return i.stat.FileMode() }
func (i info) ModTime() time.Time { return i.stat.ModTime() }
func (i info) IsDir() bool        { return i.Mode().IsDir() }
func (i info) Sys() any           { return i.stat }
