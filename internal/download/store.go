package download

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/buffers"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

const (
	// mostUnwritten bounds the bytes, of all files together, that have arrived and are not written yet. It is about
	// what is in flight on a connection with high latency.
	mostUnwritten = 16 << 20
	// noteSuffix follows the name of a temporary file in the name of its note.
	noteSuffix = ".json"
)

// Store holds what all downloads into one local directory share. It is safe for concurrent use.
type Store struct {
	local     *localdir.Dir
	logger    *slog.Logger
	now       func() time.Time
	received  *atomic.Int64
	unwritten chan struct{} // holds a token for each piece that has arrived and is not written yet
}

// NewStore returns the store of a local directory. It counts the bytes that arrive from the remote in received.
func NewStore(local *localdir.Dir, logger *slog.Logger, now func() time.Time, received *atomic.Int64) *Store {
	return &Store{local, logger, now, received, make(chan struct{}, mostUnwritten/buffers.Chunk)}
}

// remove deletes a temporary file and its note.
func (s *Store) remove(temp string) { removeTemp(s.local, temp) }

func removeTemp(local *localdir.Dir, temp string) {
	_ = local.Remove(temp)
	_ = local.Remove(temp + noteSuffix)
}
