package mirror

import (
	"context"
	"fmt"
	"hash"
	"sync/atomic"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// writer writes a local file of a known size from its start, hashes what it writes, and ends with its context.
type writer struct {
	ctx  context.Context
	f    *localdir.File
	hash hash.Hash
	size int64
	off  int64
	// arrived is off, for others.
	arrived *atomic.Int64
	err     error // of the local file, to be told from one of the source
}

func (w *writer) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	if int64(len(p)) > w.size-w.off { // that there is room for more has not been asked
		w.err = fmt.Errorf("%w: it grew during the fetch", ErrChanged)
		return 0, w.err
	}
	n, err := w.f.WriteAt(p, w.off)
	w.hash.Write(p[:n])
	w.off += int64(n)
	w.arrived.Store(w.off)
	w.err = err
	return n, err
}
