package download

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/buffers"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

const (
	// mostUnwritten bounds how much may have come of all files and not be written yet: as much as comes at once over a
	// long line.
	mostUnwritten = 16 << 20
	// noteSuffix is what the name of a note has after that of its temporary file.
	noteSuffix = ".json"
)

// Store is what all downloads into one local directory share. It is safe for concurrent use.
type Store struct {
	local     *localdir.Dir
	logger    *slog.Logger
	now       func() time.Time
	received  *atomic.Int64
	unwritten chan struct{} // holds a token for each piece that has come of a file and is not written yet
}

// NewStore returns the store of a local directory. It adds to received the bytes that come from the remote.
func NewStore(local *localdir.Dir, logger *slog.Logger, now func() time.Time, received *atomic.Int64) *Store {
	return &Store{local, logger, now, received, make(chan struct{}, mostUnwritten/buffers.Chunk)}
}

// remove deletes a temporary file, and what is noted about it.
func (s *Store) remove(temp string) { removeTemp(s.local, temp) }

func removeTemp(local *localdir.Dir, temp string) {
	_ = local.Remove(temp)
	_ = local.Remove(temp + noteSuffix)
}
