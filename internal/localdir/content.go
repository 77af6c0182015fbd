package localdir

import (
	"io/fs"
	"sync"

	"github.com/spf13/afero/mem"
)

// content is shared by the open handles of one file in memory. Closing a writable handle of a MemMapFs changes the
// mtime, so Close restores the mtime: it write-locks the content, and everything that sets or reads the time read-locks
// it. No other lock is taken while it is held.
type content struct {
	sync.RWMutex
	data *mem.FileData
	refs int // guarded by contents
}

type contents struct {
	sync.Mutex
	open map[*mem.FileData]*content
}

// acquire returns the content of the file that fi describes, for one more handle.
func (c *contents) acquire(fi fs.FileInfo) *content {
	m, ok := fi.(*mem.FileInfo)
	if !ok {
		return nil
	}
	c.Lock()
	defer c.Unlock()
	shared := c.open[m.FileData]
	if shared == nil {
		if c.open == nil {
			c.open = make(map[*mem.FileData]*content)
		}
		shared = &content{data: m.FileData}
		c.open[m.FileData] = shared
	}
	shared.refs++
	return shared
}

func (c *contents) release(shared *content) {
	c.Lock()
	defer c.Unlock()
	if shared.refs--; shared.refs == 0 {
		delete(c.open, shared.data)
	}
}

// use begins a call that sets or reads the time of the file that fi describes; the returned function ends it. It does
// nothing for a file that is not open or not in memory.
func (c *contents) use(fi fs.FileInfo) (done func()) {
	m, ok := fi.(*mem.FileInfo)
	if !ok {
		return func() {}
	}
	c.Lock()
	shared := c.open[m.FileData]
	c.Unlock()
	return shared.use()
}

// use is the same for a content that is known, or nil.
func (c *content) use() (done func()) {
	if c == nil {
		return func() {}
	}
	c.RLock()
	return c.RUnlock
}
