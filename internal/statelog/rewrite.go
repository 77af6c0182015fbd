package statelog

import (
	"bufio"
	"io"
	"iter"
	"os"
	"path"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

const bufSize = 256 << 10

// Rewrite replaces all records by the given ones and syncs: they are written beside the log, under its name with
// ".new" added, and take its place by a rename. Other calls wait meanwhile, so records must not call the Log. A
// payload may be reused once yield has returned.
//
// After an error the log is as it was and stays in use, with one exception: if the rename can't be made to last, it
// is not known which of the two a loss of power would leave, and the log is broken.
func (l *Log) Rewrite(records iter.Seq[[]byte]) error {
	l.syncing.Lock()
	defer l.syncing.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return l.broken
	}
	var size int64
	f, err := create(l.dir, l.name, func(w io.Writer) (err error) {
		size, err = writeLog(w, records)
		return err
	})
	if err != nil {
		return err
	}
	if err := l.dir.Rename(newName(l.name), l.name); err != nil {
		f.Close()
		l.dir.Remove(newName(l.name))
		return err
	}
	l.file.Close()
	l.file, l.size, l.damaged = f, size, false
	if err := l.dir.SyncDir(path.Dir(l.name)); err != nil {
		return l.fail(err)
	}
	l.synced = l.changes
	return nil
}

// writeLog writes a whole log and returns its size in bytes.
func writeLog(w io.Writer, records iter.Seq[[]byte]) (size int64, err error) {
	n, err := w.Write(header())
	size = int64(n)
	if err != nil {
		return size, err
	}
	var buf []byte
	for payload := range records {
		if len(payload) > MaxRecord {
			return size, ErrTooLong
		}
		buf = appendRecord(buf[:0], payload)
		n, err := w.Write(buf)
		size += int64(n)
		if err != nil {
			return size, err
		}
	}
	return size, nil
}

// newName is where a file is written that is to become the log, or to be kept beside it.
func newName(name string) string { return name + ".new" }

// create makes a synced file under newName(name) with what write writes. Nothing stays of it after an error, or if
// write panics.
func create(d *localdir.Dir, name string, write func(io.Writer) error) (_ *localdir.File, err error) {
	f, err := d.OpenFile(newName(name), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	done := false
	defer func() {
		if !done {
			f.Close()
			d.Remove(newName(name))
		}
	}()
	w := bufio.NewWriterSize(io.NewOffsetWriter(f, 0), bufSize)
	if err := write(w); err != nil {
		return nil, err
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	if err := f.Sync(); err != nil {
		return nil, err
	}
	done = true
	return f, nil
}

// publish gives what create made under newName(name) the name target.
func publish(d *localdir.Dir, name, target string) error {
	if err := d.Rename(newName(name), target); err != nil {
		d.Remove(newName(name))
		return err
	}
	return d.SyncDir(path.Dir(target))
}
