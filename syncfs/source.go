package syncfs

import (
	"context"
	"crypto/sha256"
	"hash"
	"io"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// source reads a local file once, from start to end, and hashes what it reads. It tells its size, so that a remote
// can keep many writes in flight.
type source struct {
	*io.SectionReader
	ctx  context.Context
	hash hash.Hash
	err  error
}

func newSource(ctx context.Context, f *localdir.File, size int64) *source {
	return &source{SectionReader: io.NewSectionReader(f, 0, size), ctx: ctx, hash: sha256.New()}
}

func (r *source) Read(p []byte) (n int, err error) {
	if err = r.ctx.Err(); err == nil {
		n, err = r.SectionReader.Read(p)
	}
	r.hash.Write(p[:n])
	r.err = err
	return n, err
}

// WriteTo hides that of the SectionReader, which would read past the hash.
func (r *source) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{r})
}
