package sftpfs

import (
	"sync"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

// WriteInOrder makes ReadFrom write through this handle alone, each byte after those before it. Otherwise ReadFrom opens a
// large file several times, and writes in several places at once. It is for servers that act when a file is closed.
func (f *File) WriteInOrder() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.single = true
}

// A writeOrder lets the WRITEs of a handle leave in the order in which they were queued, though many are in flight. Some
// servers cannot seek ("rclone serve sftp" without a cache).
type writeOrder struct {
	mu   sync.Mutex      // guards the following
	last <-chan struct{} // closed when the WRITE that was queued last has left; nil: there was none
}

// queue returns what waits for the WRITEs that were queued before, and what is to be called when this one has left.
func (w *writeOrder) queue() (before <-chan struct{}, left func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before = w.last
	done := make(chan struct{})
	w.last = done
	return before, sync.OnceFunc(func() { close(done) })
}

// writing queues a WRITE at off of one packet, and returns what sends it and waits for the answer.
func (o *opened) writing(off int64) func([]byte) (int, error) {
	if o.wire == nil {
		return func(b []byte) (int, error) { return o.handle.WriteAt(b, off) }
	}
	before, left := o.order.queue()
	return func(b []byte) (int, error) {
		defer left()
		if before != nil {
			<-before
		}
		o.learnt.files.moved.Add(1)
		defer o.wire.NotifyWrite(wire.HashPath(o.handle.Name()), uint64(off), left)()
		return o.handle.WriteAt(b, off)
	}
}
