package statelog

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// Open opens the log name of d, or starts an empty one, and calls replay with each payload in order. A payload is only
// valid during the call.
//
// If a record is bad, Open searches for a good one anywhere behind it:
//
//   - If there is none, the bad record is the end of a write that was cut off. Open truncates it and reports nothing.
//   - If there is one, records have been lost: the log is damaged. The log is also damaged if its header is bad or if
//     replay returns an error. Open copies the file unchanged to name + ".damaged-" + the time in UTC, and returns a
//     Damage. The returned Log continues behind the replayed records. The file does not change before the next Append
//     or Rewrite, so until then each Open finds and reports the damage again. A caller should begin with a Rewrite.
//
// A cut-off record whose payload contains a whole record looks like damage. So does an end that is too expensive to
// search (1 GiB). These cases err on the side of keeping a copy.
//
// For a newer format, the error matches ErrVersion. After an error the log is unchanged; a read error does not count as
// damage.
func Open(d *localdir.Dir, name string, replay func(payload []byte) error) (*Log, *Damage, error) {
	l := &Log{dir: d, name: name}
	f, err := d.OpenFile(name, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return l.start()
	}
	if err != nil {
		return nil, nil, err
	}
	l.file = f
	opened, damage, err := l.load(replay)
	if err != nil {
		f.Close()
	}
	return opened, damage, err
}

// start begins an empty log.
func (l *Log) start() (*Log, *Damage, error) {
	f, err := create(l.dir, l.name, func(w io.Writer) (err error) {
		l.size, err = writeLog(w, slices.Values[[][]byte](nil))
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	if err := publish(l.dir, l.name, l.name); err != nil {
		f.Close()
		return nil, nil, err
	}
	l.file, l.started = f, true
	return l, nil, nil
}

// load replays the file and handles its end.
func (l *Log) load(replay func([]byte) error) (*Log, *Damage, error) {
	info, err := l.file.Stat()
	if err != nil {
		return nil, nil, err
	}
	size := info.Size()
	head := make([]byte, min(size, headerSize))
	if _, err := io.ReadFull(io.NewSectionReader(l.file, 0, size), head); err != nil {
		return nil, nil, err
	}
	if err := checkHeader(head); err == errTornHeader {
		return l.restart()
	} else if err == errBadHeader {
		damage, err := l.setAside(size, &Damage{Err: errBadHeader})
		if err != nil {
			return nil, nil, err
		}
		l, _, err := l.restart()
		return l, damage, err
	} else if err != nil {
		return nil, nil, err
	}
	_ = l.dir.Remove(newName(l.name)) // left by a rewrite whose process died; the next rewrite does not need it

	damage, err := l.replay(size, replay)
	if damage != nil {
		l.damaged = true
		damage, err = l.setAside(size, damage)
	} else if err == nil && l.size < size {
		err = l.file.Truncate(l.size)
	}
	if err != nil {
		return nil, nil, err
	}
	l.changes++
	return l, damage, nil
}

// restart replaces a log without records by an empty one.
func (l *Log) restart() (*Log, *Damage, error) {
	l.file.Close()
	return l.start()
}

// replay reads the records of a file of size bytes and sets l.size to the end of the last one used. If it returns
// neither damage nor an error but bytes are left, these are an end that was cut off.
func (l *Log) replay(size int64, replay func([]byte) error) (*Damage, error) {
	l.size = headerSize
	r := recordReader{r: bufio.NewReaderSize(io.NewSectionReader(l.file, l.size, size-l.size), bufSize)}
	for records := 0; l.size < size; records++ {
		payload, err := r.next(size - l.size)
		if err == errBadRecord {
			found, err := anyRecord(l.file, l.size+1, size, scanBudget)
			if err != nil || !found {
				return nil, err
			}
			return &Damage{Offset: l.size, Records: records, Err: errBadRecord}, nil
		}
		if err != nil {
			return nil, err
		}
		if err := replay(payload); err != nil {
			return &Damage{Offset: l.size, Records: records, Err: err}, nil
		}
		l.size += recordHeader + int64(len(payload))
	}
	return nil, nil
}

// recordReader reads records in order.
type recordReader struct {
	r   *bufio.Reader
	buf []byte // for records that don't fit into r's buffer
	eat int    // bytes of the last payload, which are still in r's buffer
}

// next returns the payload of the next record, which is valid until the next call. left is how many bytes the file
// still has. Only errBadRecord is about the content; after it the reader must not be used again.
func (r *recordReader) next(left int64) ([]byte, error) {
	_, _ = r.r.Discard(r.eat) // in the buffer, so this can't fail
	r.eat = 0
	if left < recordHeader {
		return nil, errBadRecord
	}
	b, err := r.r.Peek(recordHeader)
	if err != nil {
		return nil, noEOF(err)
	}
	start := parseStart(b)
	if !fits(start.length, left-recordHeader) {
		return nil, errBadRecord
	}
	_, _ = r.r.Discard(recordHeader)
	n := int(start.length)
	var payload []byte
	if n <= r.r.Size() {
		payload, err = r.r.Peek(n)
		r.eat = n
	} else {
		r.buf = slices.Grow(r.buf[:0], n)[:n]
		payload = r.buf
		_, err = io.ReadFull(r.r, payload)
	}
	if err != nil {
		return nil, noEOF(err)
	}
	if !start.holds(payload) {
		return nil, errBadRecord
	}
	return payload, nil
}

// noEOF turns io.EOF into io.ErrUnexpectedEOF, for reads inside the file.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
