package localdir

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/spf13/afero"
	"github.com/spf13/afero/mem"
)

// lockName is the locked file.
const lockName = StateDir + "/lock"

// holderOffset is the offset in the lock file at which the text about its holder begins. On Windows, the lock covers
// the byte before it, which no other handle can read or write.
const holderOffset = 1

// holderLen is fixed, so that the text of one holder overwrites that of the previous one without truncating the file.
const holderLen = 512

// holder describes this process as the holder of a lock since now.
func holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return fmt.Sprintf("process %d on %s since %s", os.Getpid(), host, time.Now().UTC().Format(time.RFC3339))
}

func lockedBy(holder string) error {
	if holder == "" {
		holder = "another process"
	}
	return fmt.Errorf("%w: held by %s", ErrLocked, holder)
}

// lock locks a file in dir until unlock or the end of the process. unlock does not remove the file: otherwise two
// processes could lock two files of the same name.
func (r *realDir) lock(dir string) (unlock func() error, err error) {
	name := filepath.Join(dir, "lock")
	// Through the root first, so that no file outside it is opened or created.
	h, err := r.openFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	defer h.Close()

	l := flock.New(filepath.Join(r.path, name), flock.SetFlag(os.O_RDWR))
	ok, err := l.TryLock()
	if err != nil {
		return nil, err
	}
	text := make([]byte, holderLen)
	if !ok {
		n, _ := h.ReadAt(text, holderOffset)
		return nil, lockedBy(strings.TrimRight(string(text[:n]), " \n\x00"))
	}
	copy(text, fmt.Sprintf("%-*s\n", holderLen-1, holder()))
	if _, err := h.WriteAt(text, holderOffset); err != nil {
		_ = l.Unlock()
		return nil, err
	}
	return l.Unlock, nil
}

// held has the holders of directories that are not real, by lockKey.
var held struct {
	sync.Mutex
	by map[any]string
}

func (a *aferoDir) lock(dir string) (unlock func() error, err error) {
	key := lockKey(a.fsys, a.path(dir))
	if key == nil {
		return func() error { return nil }, nil
	}
	held.Lock()
	defer held.Unlock()
	if by, ok := held.by[key]; ok {
		return nil, lockedBy(by)
	}
	if held.by == nil {
		held.by = make(map[any]string)
	}
	held.by[key] = holder()
	return func() error {
		held.Lock()
		defer held.Unlock()
		delete(held.by, key)
		return nil
	}, nil
}

// lockKey returns a value that identifies the directory: in memory the directory itself, even behind wrappers;
// elsewhere the Fs, or nil if it can't be compared.
func lockKey(fsys afero.Fs, dir string) any {
	if fi, err := fsys.Stat(dir); err == nil {
		if m, ok := fi.(*mem.FileInfo); ok {
			return m.FileData
		}
	}
	if reflect.ValueOf(fsys).Comparable() {
		return fsys
	}
	return nil
}
