package sftpfs

import (
	"bytes"
	"errors"
	"hash/maphash"
	"io"
	"path"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

// The name of an open file may lead to another file by the time it is opened again, to go on after the loss of a connection
// or for a further channel. SFTP has no identity of files. So the versions have to be the same, and bytes that were read
// have to be the same in both.

var errAnotherVersion = errors.New("it is another version now")

// statesHandles reports whether the server is known to answer FSTAT with the attributes of the open file: it is ProFTPD's
// mod_sftp, or OpenSSH's own, whatever SSH server runs that. Others may answer with those of what the name leads to by
// then (the RequestServer of pkg/sftp, mysecureshell). Quirks may say which. It waits for the server's VERSION packet.
func (r remote) statesHandles() bool {
	if r.wire == nil || r.awaitInit() != nil || r.learnt.refusesFstat.Load() {
		return false
	}
	return r.modSFTP || r.learnt.fstatOfHandle || r.runsOpenSSH()
}

// askBefore asks for the version of the file p, which is to be opened next. It does not wait for the answer, and does not
// ask a server that statesHandles, nor one that is likely to.
func (r remote) askBefore(p string) *atomic.Pointer[version] {
	stated := new(atomic.Pointer[version])
	if r.wire == nil || r.wire.Spent() || r.openSSH && !r.initialized() || r.statesHandles() || r.ctx.Err() != nil {
		return stated
	}
	_ = r.wire.Send(func(_ int, reply wire.Reply) {
		if fi, err := reply.Info(path.Base(p)); err == nil {
			v := versionOf(fi)
			stated.Store(&v)
		}
	}, wire.Stat(r.on(p))) // if it fails, so does the next request
	return stated
}

// is reports whether the open file is known to be the version v, which the server has stated since it was opened. If the
// server may have stated that of the name, the name must have led to the same version before.
func (o *opened) is(v version) bool {
	if o.statesHandles() {
		return true
	}
	before := o.before.Load()
	return before != nil && *before == v
}

// requireSame returns an error if o is not known to be the version that was stated last.
func (f *File) requireSame(o *opened) error {
	fi, err := o.info(f.path)
	if err != nil {
		return err
	}
	if v := *f.stated.Load(); versionOf(fi) != v || !o.is(v) {
		return errAnotherVersion
	}
	return nil
}

const (
	samples    = 8
	sampleSize = 4 << 10
)

// A sample is a part of what was read, by its hash.
type sample struct {
	off  int64
	n    int
	hash uint64
}

var sampleSeed = maphash.MakeSeed()

// keepSample keeps the end of what was read at off.
func (f *File) keepSample(b []byte, off int64) {
	if f.flag&mutates != 0 || len(b) == 0 {
		return
	}
	end := b[max(0, len(b)-sampleSize):]
	f.sample.Store(&sample{off + int64(len(b)-len(end)), len(end), maphash.Bytes(sampleSeed, end)})
}

// openToReadOn is openAgain for a file that must have the bytes that were read last.
func (f *File) openToReadOn(r remote) (*opened, error) {
	o, err := f.openAgain(r)
	if err == nil {
		if err = f.requireRead(o); err != nil {
			o.close()
		}
	}
	return o, err
}

func (f *File) requireRead(o *opened) error {
	last := f.sample.Load()
	if last == nil {
		return nil
	}
	b := make([]byte, last.n)
	if n, err := o.readAt(b, last.off); n < len(b) && err != io.EOF {
		return o.reduce(err)
	}
	if maphash.Bytes(sampleSeed, b) != last.hash {
		return errAnotherVersion
	}
	return nil
}

// requireTwin returns what checks that another handle of the file, which has so many bytes, is of the file that is open,
// not only of the same version.
func (f *File) requireTwin(size int64) func(*opened) error {
	own := sync.OnceValues(func() ([]byte, error) { return f.at.Load().sampled(size) })
	return func(o *opened) error {
		var mine, others []byte
		var g errgroup.Group
		g.Go(func() error { return f.requireSame(o) })
		g.Go(func() (err error) { mine, err = own(); return err })
		g.Go(func() (err error) { others, err = o.sampled(size); return err })
		if err := g.Wait(); err != nil {
			return err
		}
		if !bytes.Equal(mine, others) {
			return errAnotherVersion
		}
		return nil
	}
}

// sampled reads parts from the beginning to the end of a file of so many bytes.
func (o *opened) sampled(size int64) ([]byte, error) {
	b := make([]byte, samples*sampleSize)
	var g errgroup.Group
	for i := range samples {
		part := b[i*sampleSize : (i+1)*sampleSize]
		g.Go(func() error {
			_, err := o.readAt(part, max(0, size-sampleSize)*int64(i)/(samples-1))
			return err
		})
	}
	return b, g.Wait()
}
