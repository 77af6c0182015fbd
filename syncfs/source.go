package syncfs

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"sync/atomic"

	"github.com/spf13/afero"

	contract "github.com/sftpsyncer/go-syncfs/cachefs/remote"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// defaultBlock is the distance in bytes between the offsets at which the hash of what was read is kept. An upload can
// be resumed from these offsets. The bytes that are sent twice are less than a window of SFTP, and the records are
// small beside the content.
const defaultBlock = 1 << 20

// errShorter: another program has cut the local file.
var errShorter = fmt.Errorf("%w: it is shorter than it was", ErrBusy)

// source reads a local file once, to its end, and hashes what it reads.
type source struct {
	ctx  context.Context
	f    io.ReaderAt
	off  int64
	seen atomic.Int64 // off, for other goroutines
	size int64
	hash hash.Hash  // of all bytes before off
	like *agreement // what the bytes must agree with; nil: nothing
	err  error      // the error of reading

	// arrived returns how many bytes are known to have arrived; nil if that can't be told before the end. proven is
	// then called with each new offset from which the upload can be resumed, once it is known.
	arrived func() int64
	proven  func(mark)
	block   int64
	marks   []mark // marks that may not have arrived yet
}

// mark is the hash of the first bytes of a file, up to an offset.
type mark struct {
	at  int64
	sum tree.Hash
}

func (r *source) Read(p []byte) (n int, err error) {
	if err = r.ctx.Err(); err == nil && r.off == r.size {
		err = io.EOF
	}
	if err == nil {
		want := min(int64(len(p)), r.size-r.off)
		if r.arrived != nil {
			want = min(want, r.block-r.off%r.block)
		}
		n, err = r.f.ReadAt(p[:want], r.off)
	}
	if r.like == nil {
		r.hash.Write(p[:n])
	} else if sent, other := r.like.hash(r.hash, p[:n], r.off); other != nil {
		n, err = sent, other
	}
	r.off += int64(n)
	r.seen.Store(r.off)
	r.err = err
	if r.arrived != nil && n > 0 {
		if r.off%r.block == 0 {
			r.marks = append(r.marks, mark{r.off, r.sum()})
		}
		r.prove()
	}
	return n, err
}

// Size returns how many bytes are left to read; github.com/pkg/sftp keeps many writes in flight if it knows.
func (r *source) Size() int64 { return r.size - r.off }

// sum returns the hash of all bytes that were read.
func (r *source) sum() (sum tree.Hash) {
	r.hash.Sum(sum[:0])
	return sum
}

// prove reports the last mark that has arrived since the last call.
func (r *source) prove() {
	if r.arrived == nil || len(r.marks) == 0 {
		return
	}
	arrived, n := r.arrived(), 0
	for n < len(r.marks) && r.marks[n].at <= arrived {
		n++
	}
	if n > 0 {
		r.proven(r.marks[n-1])
		r.marks = r.marks[n:]
	}
}

// hashOf returns the state of the hash after the first n bytes of a file.
func hashOf(ctx context.Context, f io.ReaderAt, n int64) (hash.Hash, error) {
	r := &source{ctx: ctx, f: f, size: n, hash: sha256.New()}
	_, err := io.Copy(io.Discard, r)
	return r.hash, err
}

// target prepares a file of the remote for io.Copy. arrived returns how many of the copied bytes have arrived; nil if
// the file can't tell.
func target(f afero.File) (w io.Writer, arrived func() int64) {
	if _, ok := remote.OptionalFile[io.ReaderFrom](f); !ok {
		c := &counter{w: f}
		return c, c.n.Load
	}
	if a, ok := remote.OptionalFile[contract.Acknowledger](f); ok {
		return f, a.Acknowledged
	}
	return f, nil
}

// counter counts the bytes that were written, one write after the other.
type counter struct {
	w io.Writer
	n atomic.Int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n.Add(int64(n))
	return n, err
}
