package localdir

import (
	"io/fs"
	"sync"

	"github.com/spf13/afero/mem"
)

// content is what the open handles of one file in memory share. To close a handle there that is not read-only is to
// change the file, so Close puts the time back: it holds the content for writing, and whatever sets or reads the time
// holds it for reading. Nothing else is locked while it is held.
type content struct {
	sync.RWMutex
	data *mem.FileData
	refs int // guarded by contents
}

type contents struct {
	sync.Mutex
	open map[*mem.FileData]*content
}

// acquire returns the content of the file that fi describes, for one handle.
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

// use begins what sets or reads the time of the file that fi describes; the result ends it. It does nothing for a
// file that is not open or not in memory.
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

// use is the same for a known content, or nil.
func (c *content) use() (done func()) {
	if c == nil {
		return func() {}
	}
	c.RLock()
	return c.RUnlock
}
