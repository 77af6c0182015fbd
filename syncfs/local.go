package syncfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// openContent opens the local file of a content. The error matches ErrBusy if it was written or replaced since the
// content was examined. Every upload reads through openContent. It refuses a symbolic link on the way (fs.ErrInvalid),
// because the target of the link was not queued.
func (s *Fs) openContent(c content) (*localdir.File, error) {
	local := s.m.Local()
	for dir, _ := tree.Split(c.path); dir != "."; dir, _ = tree.Split(dir) {
		info, err := local.Lstat(dir)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			return nil, fmt.Errorf("%w: in the local directory %s is not a directory any more", fs.ErrInvalid, dir)
		}
	}
	f, err := local.OpenFile(c.path, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && tree.Stamp(info.Stamp) != c.stamp {
		err = errWrittenMeanwhile
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
