package sftpfs

import (
	"io"
	"syscall"

	"github.com/sftpsyncer/go-syncfs/internal/abandon"
)

// A transfer is a packet in flight. It has its own memory, because it may outlive the call that started it.
type transfer struct {
	packet *packetBuffer
	n      int
	err    error
	done   chan struct{} // closed when n and err are set
}

// startTransfer runs op on the first n bytes of p, in the background. The bytes count as in flight on the channel c.
func startTransfer(c *parallelChannel, p *packetBuffer, n int, op func([]byte) (int, error)) *transfer {
	t := &transfer{packet: p, done: make(chan struct{})}
	c.underWay.Add(int64(n))
	go func() {
		defer close(t.done)
		defer c.underWay.Add(-int64(n))
		t.n, t.err = op(p.b[:n])
	}()
	return t
}

// wait returns the result of the transfer. If f's context ends first, it abandons the transfer and returns the
// context's error.
func (t *transfer) wait(f *Fs) (int, error) {
	select {
	case <-t.done:
		return t.n, t.err
	case <-f.ctx.Done():
		f.abandoned.Add(t.done)
		return 0, f.ctx.Err()
	}
}

// WriteTo writes the rest of the file to w. It reads ahead as far as the file is known to reach. A large file is read over
// several channels only from a server which tells whether they all read the same file. An error of w is returned
// unchanged.
func (f *File) WriteTo(w io.Writer) (written int64, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err = f.canRead(); err == nil {
		err = f.locate()
	}
	if err != nil {
		return 0, pathError("read", f.name, err)
	}
	fi, err := abandon.Await(f.fs.ctx, nil, f.fstat, nil)
	switch {
	case declined(err):
		return f.copyTail(w, 0)
	case err == nil && fi.IsDir():
		err = syscall.EISDIR
	}
	if err != nil {
		return 0, pathError("read", f.name, err)
	}
	channels := newParallelChannels(f, fi.Size()-f.offset, f.openAgain, f.requireTwin(fi.Size()))
	defer func() { _ = channels.end() }() // a failure to close loses nothing that was read
	size := f.at.Load().packet()
	var ahead []*transfer
	next := f.offset
	for {
		if f.at.Load().statesHandles() {
			channels.openMore(fi.Size() - next)
		}
		for next < fi.Size() {
			off, n := next, int(min(int64(size), fi.Size()-next))
			channel := channels.next(int64(n), next-f.offset)
			if channel == nil {
				break
			}
			ahead = append(ahead, startTransfer(channel, newPacket(bufferFor(int64(n))), n, func(b []byte) (int, error) {
				return f.fillOver(channel, b, off)
			}))
			next += int64(n)
		}
		if len(ahead) == 0 {
			return f.copyTail(w, written)
		}
		t := ahead[0]
		ahead = ahead[1:]
		n, rerr := t.wait(f.fs)
		m, werr := w.Write(t.packet.b[:n])
		f.offset += int64(m)
		written += int64(m)
		switch {
		case werr != nil:
			return written, werr
		case rerr == io.EOF: // the file was truncated meanwhile
			return written, nil
		case rerr != nil:
			return written, pathError("read", f.name, rerr)
		}
		t.packet.free()
	}
}

// copyTail reads on from the offset, behind which nothing is known of the file, until it ends.
func (f *File) copyTail(w io.Writer, written int64) (int64, error) {
	p := newPacket(packet)
	defer p.free()
	for {
		n, rerr := f.readAt(p.b, f.offset)
		m, werr := w.Write(p.b[:n])
		f.offset += int64(m)
		written += int64(m)
		switch {
		case werr != nil:
			return written, werr
		case rerr == io.EOF:
			return written, nil
		case rerr != nil:
			return written, pathError("read", f.name, rerr)
		}
	}
}

// Acknowledged returns how many bytes of the running or last ReadFrom the server has confirmed without a gap, counted
// from the offset at which ReadFrom began. It does not wait for a running ReadFrom. After ReadFrom has returned, it
// equals what ReadFrom returned. Before the first ReadFrom it is 0.
func (f *File) Acknowledged() int64 { return f.acknowledged.Load() }

// sized is a reader that knows its size, which serves as a hint.
type sized interface{ Size() int64 }

// ReadFrom writes the content of r, from the offset on. It keeps many packets in flight, whatever kind of reader r is.
// It returns how many bytes have arrived without a gap; after an error, more may have arrived. An error of r is
// returned unchanged.
func (f *File) ReadFrom(r io.Reader) (written int64, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.acknowledged.Store(0)
	if err = f.canWrite(); err != nil {
		return 0, pathError("write", f.name, err)
	}
	if f.appends() {
		f.offset = f.end
		defer func() { f.end, f.behind = f.offset, true }()
	}
	size, expected := f.at.Load().packet(), int64(unstated)
	if f.appends() {
		size, expected = packet, packet // with O_APPEND the server appends packets as they arrive
	}
	piece := size
	if known, ok := r.(sized); ok {
		expected = min(expected, known.Size())
		piece = min(size, bufferFor(known.Size()+1)) // one byte more, so that the first read also sees the end
	}
	channels := newParallelChannels(f, expected, f.openAgainToWrite, nil)
	defer func() {
		if cerr := channels.end(); err == nil && cerr != nil {
			err = pathError("write", f.name, cerr)
		}
	}()
	var ahead []*transfer
	next := f.offset
	var rerr error
	for {
		if rerr == nil && !f.appends() && !f.single && f.at.Load().isOpenSSH() {
			channels.openMore(toCome(written, expected))
		}
		for rerr == nil && (len(ahead) == 0 || !f.appends()) {
			channel := channels.next(int64(piece), next-f.offset)
			if channel == nil {
				break
			}
			p := newPacket(piece)
			piece = size
			var n int
			if n, rerr = readFull(r, p.b); n > 0 {
				ahead = append(ahead, startTransfer(channel, p, n, f.putting(channel.at, next)))
				next += int64(n)
			}
		}
		if len(ahead) == 0 {
			break
		}
		t := ahead[0]
		ahead = ahead[1:]
		n, werr := t.wait(f.fs)
		f.offset += int64(n)
		written += int64(n)
		f.acknowledged.Store(written)
		if werr != nil {
			f.settle(ahead)
			return written, pathError("write", f.name, werr)
		}
		t.packet.free()
	}
	if rerr == io.EOF {
		rerr = nil
	}
	return written, rerr
}

// toCome estimates how many bytes follow those that are written. If r has no known size, it assumes as many again, and
// no end once bytesPerChannel are written.
func toCome(written, expected int64) int64 {
	if expected == unstated && written < bytesPerChannel {
		return written
	}
	return max(expected-written, 0)
}

// settle waits for transfers whose outcome no longer matters, so that none writes after the call.
func (f *File) settle(ahead []*transfer) {
	for _, t := range ahead {
		_, _ = t.wait(f.fs)
	}
}

// readFull reads until b is full or r returns an error, which it returns unchanged.
func readFull(r io.Reader, b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var m int
		m, err = r.Read(b[n:])
		n += m
	}
	return n, err
}
