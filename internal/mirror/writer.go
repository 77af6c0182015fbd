package mirror

import (
	"context"
	"hash"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// writer writes a local file from its start, hashes what it writes, and ends with its context.
type writer struct {
	ctx  context.Context
	f    *localdir.File
	hash hash.Hash
	off  int64
	err  error // of the local file, to be told from one of the source
}

func (w *writer) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := w.f.WriteAt(p, w.off)
	w.hash.Write(p[:n])
	w.off += int64(n)
	w.err = err
	return n, err
}
