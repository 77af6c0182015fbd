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

// Rewrite replaces the records before offset end, which Size has returned, by the given ones, and syncs them. It writes
// them to the name of the log plus ".new", and renames that file to the log. Records that were appended since stay
// behind them. Append continues to work meanwhile; Sync and Close wait, so records must not call them. A payload may be
// reused when yield has returned.
//
// After an error the log is unchanged and stays usable, with one exception: if the rename can't be synced, it is
// unknown which of the two files a power failure would leave, and the log is broken.
func (l *Log) Rewrite(end int64, records iter.Seq[[]byte]) error {
	l.syncing.Lock()
	defer l.syncing.Unlock()
	_, old, err := l.state()
	if err != nil {
		return err
	}
	kept := max(0, l.lasting-end) // appended since, and synced already: must stay durable
	var size int64                // without kept
	f, err := create(l.dir, l.name, func(w io.Writer) (err error) {
		if size, err = writeLog(w, records); err == nil {
			_, err = io.Copy(w, io.NewSectionReader(old, end, kept))
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := l.replace(f, size-end, end+kept); err != nil {
		return err
	}
	if err := l.dir.SyncDir(path.Dir(l.name)); err != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.fail(err)
	}
	l.lasting = size + kept
	return nil
}

// replace copies what was appended behind offset from, and renames the new file to the log. In the new file, these
// bytes are further on by that many bytes. l.syncing is held.
func (l *Log) replace(f *localdir.File, further, from int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.broken
	if err == nil {
		w := io.NewOffsetWriter(f, from+further)
		_, err = io.Copy(w, io.NewSectionReader(l.file, from, l.size-from))
	}
	if err == nil {
		err = l.dir.Rename(newName(l.name), l.name)
	}
	if err != nil {
		f.Close()
		_ = l.dir.Remove(newName(l.name))
		return err
	}
	l.file.Close()
	if l.size == from { // nothing was appended that is not synced
		l.synced = l.changes
	}
	l.file, l.size, l.damaged = f, l.size+further, false
	return nil
}

// writeLog writes a complete log and returns its size in bytes.
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

// newName returns the name for a new file that is to become the log or to be kept beside it.
func newName(name string) string { return name + ".new" }

// create writes a file under newName(name) with write, and syncs it. After an error, or if write panics, it removes the
// file.
func create(d *localdir.Dir, name string, write func(io.Writer) error) (_ *localdir.File, err error) {
	f, err := d.OpenFile(newName(name), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	done := false
	defer func() {
		if !done {
			f.Close()
			_ = d.Remove(newName(name))
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

// publish renames the file that create made under newName(name) to target, and syncs the directory.
func publish(d *localdir.Dir, name, target string) error {
	if err := d.Rename(newName(name), target); err != nil {
		_ = d.Remove(newName(name))
		return err
	}
	return d.SyncDir(path.Dir(target))
}
