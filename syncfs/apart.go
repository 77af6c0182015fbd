package syncfs

import (
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// maxLag is how much older than the version that it replaces a file may be to get a later time. One that is older still is
// taken for one that was put back on purpose, with its time.
const maxLag = time.Hour

// apart is the time with which a content of that size is published so that it is not taken for one that it replaces: the
// given time or, if one of those has the same size and is in the same second or a little later, the first time behind it
// that has the same fraction. Those in between may be the times of versions that were replaced before.
func apart(mtime, size int64, replaced ...tree.Meta) int64 {
	for again := true; again; {
		again = false
		for _, m := range replaced {
			lag := secondOf(m.MTime) - secondOf(mtime)
			if m.Size == size && lag >= 0 && lag < int64(maxLag/time.Second) {
				mtime += (lag + 1) * int64(time.Second)
				again = true
			}
		}
	}
	return mtime
}

// secondOf is the second of a time, as SFTP has it.
func secondOf(t int64) int64 { return time.Unix(0, t).Unix() }
