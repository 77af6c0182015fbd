package statelog

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// Damage describes what Open could not read.
type Damage struct {
	File    string // a copy of the whole log as it was found
	Offset  int64  // of the first byte that was not used
	Records int    // good records before it, all of them replayed
	Err     error  // what is wrong there; wraps an error of replay
}

func (d *Damage) String() string {
	return fmt.Sprintf("log is damaged at byte %d, after %d records (kept as %s): %v", d.Offset, d.Records, d.File, d.Err)
}

// setAside copies the file of size bytes to a new name, and stores that name in damage.
func (l *Log) setAside(size int64, damage *Damage) (*Damage, error) {
	aside, err := asideName(l.dir, l.name, time.Now())
	if err != nil {
		return nil, err
	}
	f, err := create(l.dir, l.name, func(w io.Writer) error {
		n, err := io.Copy(w, io.NewSectionReader(l.file, 0, size))
		if err == nil && n < size {
			err = io.ErrUnexpectedEOF
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	f.Close() // synced, so nothing is left that could fail
	if err := publish(l.dir, l.name, aside); err != nil {
		return nil, err
	}
	damage.File = aside
	return damage, nil
}

// asideName returns a free name.
func asideName(d *localdir.Dir, name string, now time.Time) (string, error) {
	stem := name + ".damaged-" + now.UTC().Format("20060102T150405Z")
	aside := stem
	for i := 2; ; i++ {
		_, err := d.Lstat(aside)
		if errors.Is(err, fs.ErrNotExist) {
			return aside, nil
		}
		if err != nil {
			return "", err
		}
		aside = fmt.Sprintf("%s-%d", stem, i)
	}
}
