package localdir

import (
	"path/filepath"
	"strings"
	"sync"
)

// maxCached bounds the number of names in a nameCache.
const maxCached = 1 << 17

// nameCache remembers which names directories hold, as spelled on disk, by the path of the directory on disk. A
// directory that somebody else has changed has another stamp and is listed again. The stamp misses a change within the
// same tick of the disk's clock, so a name that is not in the cache is also looked up on disk.
type nameCache struct {
	mu    sync.Mutex // guards all fields below; the sets of names are guarded by translated.mu
	dirs  map[string]*cachedDir
	names int // added since dirs was last emptied
}

type cachedDir struct {
	stamp Stamp
	names map[string]bool
}

// get returns the names in a directory, or nil if they are unknown.
func (c *nameCache) get(dir string, stamp Stamp) map[string]bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.dirs[dir]; known != nil && known.stamp == stamp {
		return known.names
	}
	return nil
}

func (c *nameCache) put(dir string, stamp Stamp, names map[string]bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.names += len(names) + 1; c.dirs == nil || c.names > maxCached {
		c.dirs, c.names = make(map[string]*cachedDir), len(names)+1
	}
	c.dirs[dir] = &cachedDir{stamp, names}
}

// change adds or removes a name after this Dir has changed it on disk, and sets the new stamp of the directory.
func (c *nameCache) change(local string, added bool, stamp Stamp) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.dirs[filepath.Dir(local)]
	if known == nil {
		return
	}
	known.stamp = stamp
	if added {
		c.names++
		known.names[filepath.Base(local)] = true
	} else {
		delete(known.names, filepath.Base(local))
	}
}

// forget forgets a directory and everything below it. Directories below are only known if the directory itself is.
func (c *nameCache) forget(local string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dirs[local] == nil {
		return
	}
	for dir := range c.dirs {
		if dir == local || strings.HasPrefix(dir, local+string(filepath.Separator)) {
			delete(c.dirs, dir)
		}
	}
}
