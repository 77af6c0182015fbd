package download

import (
	"cmp"
	"context"
	"errors"
	"io"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/buffers"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
)

// A stated size of 0 may be wrong: files in /proc have content all the same, and some servers state no sizes. So such a
// file is read. Its version has the stated size 0, and the copy has the length that was read.

// firstRead is the size of the first request for such a file. Most are empty.
const firstRead = 4 << 10

// copyUnstated downloads a file whose stated size is 0. If the file is empty, this takes no round trip beyond that of
// the version check.
func (t *transfer) copyUnstated() error {
	d := t.d
	checked := make(chan error, 1)
	go func() { checked <- d.check(d.src) }()
	n, err := t.putUnstated(make([]byte, firstRead))
	if n == 0 && err == io.EOF {
		err = t.last()
		return cmp.Or(Room(err), <-checked)
	}
	if checkErr := <-checked; checkErr != nil {
		return checkErr
	}
	buf := buffers.Borrow(buffers.Chunk)
	defer buffers.GiveBack(buf)
	for err == nil {
		_, err = t.putUnstated(buf)
	}
	if err != io.EOF {
		return err
	}
	if err := d.check(d.src); err != nil {
		return err
	}
	return Room(t.last())
}

// putUnstated reads and writes the next bytes. At the end of the file the error is io.EOF.
func (t *transfer) putUnstated(buf []byte) (int, error) {
	n, err := io.ReadFull(t.d.src, buf)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = io.EOF
	} else if err != nil {
		return 0, remote.Error(err)
	}
	if n == 0 {
		return 0, err
	}
	if err := t.d.owner.Reserve(nil, t.off+int64(n)); err != nil {
		return 0, err
	}
	if putErr := t.put(buf[:n]); putErr != nil {
		return 0, Room(putErr)
	}
	return n, err
}

// readUnstated reads such a file from the remote, because there is no room for a local copy.
func (d *Download) readUnstated(ctx context.Context, size int, off int64) (own []byte, err error) {
	own = make([]byte, size)
	err = d.pool.use(ctx, d.openAnother, func(f afero.File) error {
		if _, err := f.Seek(off, io.SeekStart); err != nil {
			return remote.Error(err)
		}
		n, err := io.ReadFull(f, own)
		own = own[:n]
		switch {
		case !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF):
			return remote.Error(err)
		case n > 0:
			return d.check(f)
		}
		return cmp.Or(d.check(f), io.EOF)
	})
	return own, err
}
