package syncfs

import (
	"crypto/sha256"
	"io"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// mostStaged is the size in bytes up to which a file is read into memory and sent in one call.
const mostStaged = 64 << 10

// small is a file's content in memory.
type small struct {
	content
	bytes []byte
	hash  tree.Hash
}

// readSmall reads a content into memory. Then it syncs the local file while meanwhile runs.
func (s *Fs) readSmall(c content, meanwhile func(small)) (small, error) {
	f := small{content: c, bytes: make([]byte, c.stamp.Size)}
	local, err := s.openContent(c)
	if err != nil {
		return f, err
	}
	defer local.Close()
	if n, err := local.ReadAt(f.bytes, 0); n < len(f.bytes) {
		if err == io.EOF {
			err = errShorter
		}
		return f, err
	}
	f.hash = sha256.Sum256(f.bytes)
	s.both(func() { meanwhile(f) }, func() { err = s.lasting(local, c.path) })
	return f, err
}
