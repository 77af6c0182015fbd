package syncfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// openContent opens the local bytes of a content: the regular file that was looked at, and nothing that has taken its
// place since. Every upload reads through it. A symbolic link on the way is refused: what it leads to was not queued.
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
