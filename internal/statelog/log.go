// Package statelog keeps records in one append-only file of a localdir.Dir. A payload is any bytes, up to MaxRecord.
//
// It guarantees, as far as the file system keeps its own promises:
//
//   - A record that Append acknowledged survives the death of the process. A record that Sync covered survives a power
//     failure.
//   - Open returns the records in the order of their Appends: all of them, or a prefix and a report of the damage (see
//     Open). It never invents, changes, repeats or reorders a record.
//   - Rewrite replaces the records at once: after a crash the log holds either the old ones or the new ones.
//
// It does not guarantee that a record whose Append failed is absent after a crash: it may be there, once. The checksum
// of 32 bits detects accidents, not forgery.
package statelog

import (
	"fmt"
	"io/fs"
	"sync"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// Log is an open log. Its methods may be called concurrently. After Close they fail with fs.ErrClosed.
type Log struct {
	dir  *localdir.Dir
	name string

	// syncing is held while the file is synced or replaced. It is taken before mu.
	syncing sync.Mutex
	synced  uint64 // guarded by syncing: the value of changes that the last sync covered
	lasting int64  // guarded by syncing: the offset up to which the last sync covered the file

	mu      sync.Mutex // guards the fields below; held for one write, not for a sync
	file    *localdir.File
	size    int64  // bytes of header and whole records; the next record goes here
	changes uint64 // changes of the file since Open; what Open found, synced or not, counts as one
	started bool   // Open began an empty log
	damaged bool   // the file is longer than size; the rest is damaged, has been copied, and is cut off by the next change
	buf     []byte // reused by Append
	broken  error  // the error of all further calls
}

// keepBuf is the largest buffer that is kept from one Append to the next, in bytes.
const keepBuf = 64 << 10

// Append adds a record with one write. When it returns nil, the record survives the death of the process. Records of
// concurrent calls are in the file in the order in which the calls return.
//
// For a payload that is too long, the error is ErrTooLong. If the write fails, Append cuts the file back, and later
// Appends can succeed. If that fails, too, the log is broken: all later calls return an error that wraps the first.
func (l *Log) Append(payload []byte) error {
	if len(payload) > MaxRecord {
		return ErrTooLong
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return l.broken
	}
	if l.damaged {
		if err := l.file.Truncate(l.size); err != nil {
			return err
		}
		l.damaged = false
	}
	l.buf = appendRecord(l.buf[:0], payload)
	n := int64(len(l.buf))
	_, err := l.file.WriteAt(l.buf, l.size)
	if cap(l.buf) > keepBuf {
		l.buf = nil
	}
	if err != nil {
		if cutErr := l.file.Truncate(l.size); cutErr != nil {
			l.broken = fmt.Errorf("log is broken: %w (and to cut it back: %w)", err, cutErr)
			return l.broken
		}
		return err
	}
	l.size += n
	l.changes++
	return nil
}

// Sync makes every record that existed when it was called, appended or found by Open, survive a power failure. Calls
// that arrive while a sync is running share the next one.
//
// If a sync fails, the log is broken: the system may have dropped what it could not write, and would report success the
// next time.
func (l *Log) Sync() error {
	want, _, err := l.state()
	if err != nil {
		return err
	}
	return l.syncTo(want)
}

// syncTo waits for a running sync, and syncs again only if that sync began too early for want.
func (l *Log) syncTo(want uint64) error {
	l.syncing.Lock()
	defer l.syncing.Unlock()
	if l.synced >= want {
		return nil
	}
	return l.sync()
}

// sync syncs the file if it has changed since the last sync. l.syncing is held.
func (l *Log) sync() error {
	size := l.Size()
	have, file, err := l.state()
	if err != nil || l.synced == have {
		return err
	}
	if err := file.Sync(); err != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.fail(err)
	}
	l.synced, l.lasting = have, size
	return nil
}

func (l *Log) state() (changes uint64, file *localdir.File, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changes, l.file, l.broken
}

// fail breaks the log, unless it is broken already. l.mu is held.
func (l *Log) fail(err error) error {
	if l.broken == nil {
		l.broken = fmt.Errorf("log is broken: %w", err)
	}
	return l.broken
}

// Started reports whether Open began an empty log: it found none, only a part of a header, or a damaged header.
func (l *Log) Started() bool { return l.started }

// Size returns the length of the header and the records in bytes.
func (l *Log) Size() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.size
}

// Close syncs and closes the log. The file is closed whatever the error.
func (l *Log) Close() error {
	l.syncing.Lock()
	defer l.syncing.Unlock()
	err := l.sync()

	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return err
	}
	if closeErr := l.file.Close(); err == nil {
		err = closeErr
	}
	l.file = nil
	l.broken = fs.ErrClosed
	return err
}
