package syncfs

import (
	"sync"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

const (
	// mostAhead is how many bytes a round reads before it is their turn.
	mostAhead = 16 << 20

	// readersAhead is how many files are read at a time: their sync waits for the disk.
	readersAhead = 8
)

// ahead has small files read before it is their turn to be sent: while the remote connects and directories are made.
type ahead struct {
	stop    chan struct{}
	readers sync.WaitGroup

	mu    sync.Mutex // guards the following
	bytes int64      // that were read
	full  bool       // the next file did not fit
	files map[*tree.Node]small
	taken map[*tree.Node]bool // for which it is too late
}

// readAhead begins to read the files that the steps send, in their order. The caller ends that.
func (s *Fs) readAhead(steps []tree.Step) *ahead {
	a := &ahead{stop: make(chan struct{}), files: map[*tree.Node]small{}, taken: map[*tree.Node]bool{}}
	if s.m.Limits().Capacity() == 1 || !s.stages() {
		return a
	}
	next := make(chan tree.Step)
	for range readersAhead {
		a.readers.Go(func() {
			for step := range next {
				s.readOne(a, step)
			}
		})
	}
	a.readers.Go(func() {
		defer close(next)
		for _, step := range steps {
			if step.Op != tree.Put || !a.room(step.Node, 0) { // a look at the file would be in vain
				continue
			}
			select {
			case next <- step:
			case <-a.stop:
				return
			}
		}
	})
	return a
}

func (a *ahead) end() {
	close(a.stop)
	a.readers.Wait()
}

// readOne reads a file whose turn has not come yet. If it can't be read, that will be found out then.
func (s *Fs) readOne(a *ahead, step tree.Step) {
	c, err := s.sendable(step)
	if err != nil || c.stamp.Size > mostStaged || !a.room(step.Node, c.stamp.Size) {
		return
	}
	if f, err := s.readSmall(c, func(small) {}); err == nil {
		a.put(step.Node, f)
	}
}

// room takes room for a file, if there is any and it is not too late.
func (a *ahead) room(n *tree.Node, size int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.full = a.full || size > mostAhead-a.bytes
	if a.full || a.taken[n] {
		return false
	}
	a.bytes += size
	return true
}

func (a *ahead) put(n *tree.Node, f small) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.taken[n] {
		a.files[n] = f
	}
}

// take returns what was read of a file, if that is the content that is to be sent.
func (a *ahead) take(n *tree.Node, c content) (f small, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.taken[n] = true
	f, ok = a.files[n]
	delete(a.files, n)
	return f, ok && f.same(c)
}
