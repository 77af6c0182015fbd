package syncfs

import (
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// maxLag is how old a file may be, and how much older than the version that it replaces, to get a later time than that
// version. One that is older still is taken for one that was put back on purpose, with its time.
const maxLag = time.Hour

// apart is the time with which a content of that size is published so that it is not taken for one that it replaces: the
// given time or, if one of those has the same size and is in the same second, the first time behind it that has the same
// fraction. If the given time is a recent one, so is it if one of those is a little later: the times in between may be those
// of versions that were replaced before.
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

// secondOf is the second of a time, as SFTP has it.
func secondOf(t int64) int64 { return time.Unix(0, t).Unix() }
