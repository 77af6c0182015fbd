package sftpfs_test

import (
	"sync"

	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// counter counts the requests of each kind that arrive at a server, and its connections.
type counter struct {
	mu     sync.Mutex // guards the following
	counts map[sftptest.Kind]int
	conns  int
}

func (c *counter) character() sftptest.Character {
	c.counts = make(map[sftptest.Kind]int)
	return sftptest.OnRequest(func(r *sftptest.Request) sftptest.Answer {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.counts[r.Kind]++
		c.conns = max(c.conns, r.Conn)
		return r.Next()
	})
}

// of returns how many requests of these kinds have arrived.
func (c *counter) of(kinds ...sftptest.Kind) (sum int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, kind := range kinds {
		sum += c.counts[kind]
	}
	return sum
}

// connections returns how many connections there were, of those on which a request has arrived.
func (c *counter) connections() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conns
}
