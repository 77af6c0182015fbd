package syncfs

import (
	"context"
	"crypto/sha256"
	"hash"
	"io"
	"sync/atomic"

	"github.com/spf13/afero"

	contract "github.com/sftpsyncer/go-syncfs/cachefs/remote"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// defaultBlock is at what distances the hash of what was read is kept: the places from which an upload can go on. What
// is sent twice then is less than a window of SFTP, and what is recorded is nothing beside what is sent.
const defaultBlock = 1 << 20

// source reads a local file once, to its end, and hashes what it reads.
type source struct {
	ctx  context.Context
	f    io.ReaderAt
	off  int64
	seen atomic.Int64 // off, for others
	size int64
	hash hash.Hash // of all before off
	err  error     // of reading

	// arrived says how much is known to have arrived; nil if that can't be told before the end. Then proven is
	// called with each new place from which the upload can go on, once it is known.
	arrived func() int64
	proven  func(mark)
	block   int64
	marks   []mark // those that may not have arrived yet
}

// mark is the hash of a file's first bytes.
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
	r.hash.Write(p[:n])
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

// Size is how much there is to read; github.com/pkg/sftp keeps many writes in flight if it knows.
func (r *source) Size() int64 { return r.size - r.off }

// sum is the hash of all that was read.
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

// hashOf is the state of the hash after the first n bytes of a file.
func hashOf(ctx context.Context, f io.ReaderAt, n int64) (hash.Hash, error) {
	r := &source{ctx: ctx, f: f, size: n, hash: sha256.New()}
	_, err := io.Copy(io.Discard, r)
	return r.hash, err
}

// target prepares a file of the remote for io.Copy. arrived says how many of the copied bytes have arrived; nil if
// the file does not tell.
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

// counter counts what was written, one write after the other.
type counter struct {
	w io.Writer
	n atomic.Int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n.Add(int64(n))
	return n, err
}
