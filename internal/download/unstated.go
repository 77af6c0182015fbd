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

// A stated size of 0 says little: files in /proc have content all the same, and some servers state no sizes. So such a file
// is read. Its version is the one that was stated, with size 0; the length of the copy is how much there was.

// firstRead is how much of such a file is asked for at first: most are empty.
const firstRead = 4 << 10

// copyUnstated brings a file whose stated size is 0, to its end. That it is empty takes no round trip beside the check
// of the version.
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

// putUnstated reads and writes what comes next. At the end of the file the error is io.EOF.
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

// readUnstated reads such a file on the remote, for there is no room.
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
