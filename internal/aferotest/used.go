package aferotest

import (
	"io/fs"
	"path"
	"strings"

	"github.com/spf13/afero"
)

// Used returns the bytes in a cache's local directory that count against its bound: copies, which owned tells from
// other files, and partial downloads in the directory partial.
func Used(local afero.Fs, partial string, owned func(name string) bool) (size int64, err error) {
	err = afero.Walk(local, "/", func(name string, fi fs.FileInfo, err error) error {
		if err != nil || !fi.Mode().IsRegular() {
			return err
		}
		name = strings.TrimPrefix(name, "/")
		if path.Dir(name) == partial && path.Ext(name) != ".json" || owned(name) {
			size += fi.Size()
		}
		return nil
	})
	return size, err
}
