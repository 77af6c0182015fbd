package syncfs

import (
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// maxLag bounds how old a file may be, and how much older than the version that it replaces, to get a later time than
// that version. An older file was probably restored on purpose, with its time.
const maxLag = time.Hour

// apart returns the modification time to publish a content of that size with, so that it can be told from the versions
// that it replaces. That is the given time or, if a replaced version has the same size and is in the same second, the
// first later time with the same fraction of a second. A recent time moves behind replaced versions that are a little
// later, too: the times in between may be those of versions that were replaced before. Times are in nanoseconds.
func apart(now, mtime, size int64, replaced ...tree.Meta) int64 {
	farthest := int64(0) // in seconds
	if now-mtime < int64(maxLag) {
		farthest = int64(maxLag/time.Second) - 1
	}
	for again := true; again; {
		again = false
		for _, m := range replaced {
			lag := secondOf(m.MTime) - secondOf(mtime)
			if m.Size == size && lag >= 0 && lag <= farthest {
				mtime += (lag + 1) * int64(time.Second)
				again = true
			}
		}
	}
	return mtime
}

// secondOf returns a time in whole seconds, as in SFTP.
func secondOf(t int64) int64 { return time.Unix(0, t).Unix() }
