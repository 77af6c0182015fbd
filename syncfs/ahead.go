package syncfs

import (
	"sync"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

const (
	// mostAhead bounds the bytes that a round reads in advance.
	mostAhead = 16 << 20

	// readersAhead is how many files are read at a time. Each of them waits for an fsync.
	readersAhead = 8
)

// ahead reads small files before it is their turn to be sent, while the remote connects and directories are made.
type ahead struct {
	stop    chan struct{}
	readers sync.WaitGroup

	mu    sync.Mutex // guards the fields below
	bytes int64      // reserved for files
	full  bool       // the next file did not fit
	files map[*tree.Node]small
	taken map[*tree.Node]bool // their step has begun: it is too late
}

// readAhead begins to read the files that the steps send, in their order. The caller calls end.
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
			if step.Op != tree.Put || !a.room(step.Node, 0) { // don't look at a file in vain
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

// readOne reads a file in advance. It ignores errors, because the step of the file will find them, too.
func (s *Fs) readOne(a *ahead, step tree.Step) {
	c, err := s.sendable(step)
	if err != nil || c.stamp.Size > mostStaged || !a.room(step.Node, c.stamp.Size) {
		return
	}
	if f, err := s.readSmall(c, func(small) {}); err == nil {
		a.put(step.Node, f)
	}
}

// room reserves bytes for a file. It returns false if there are none left, or if the step of the file has begun.
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

// take returns the content of a file that was read in advance, if it is still the content to send. The file is not read
// in advance any more.
func (a *ahead) take(n *tree.Node, c content) (f small, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.taken[n] = true
	f, ok = a.files[n]
	delete(a.files, n)
	return f, ok && f.same(c)
}
