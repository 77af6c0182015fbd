//go:build unix

package syncfs

import (
	"bytes"
	"crypto/sha256"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// killObserver looks at the files on the remote all the time.
type killObserver struct {
	dir  string
	stop chan struct{}
	done sync.WaitGroup
	seen map[killStamp]bool
	hash map[[32]byte]string // of the contents seen: a name that had them
}

type killStamp struct {
	ino         uint64
	size, mtime int64
}

func observe(dir string) *killObserver {
	o := &killObserver{dir: dir, stop: make(chan struct{}), seen: map[killStamp]bool{}, hash: map[[32]byte]string{}}
	o.done.Go(func() {
		for {
			select {
			case <-o.stop:
				return
			case <-time.After(time.Millisecond): // leaves the processor to those who are observed
				o.look()
			}
		}
	})
	return o
}

func (o *killObserver) look() {
	_ = filepath.WalkDir(o.dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || localdir.Reserved(d.Name()) {
			return nil // removed or renamed meanwhile
		}
		f, err := os.Open(name)
		if err != nil {
			return nil
		}
		defer f.Close()
		fi, err := f.Stat()
		if err != nil || fi.IsDir() {
			return nil
		}
		stamp := killStamp{inodeOf(fi), fi.Size(), fi.ModTime().UnixNano()}
		if o.seen[stamp] {
			return nil
		}
		var content bytes.Buffer
		if _, err := content.ReadFrom(f); err == nil {
			o.seen[stamp] = true
			o.hash[sha256.Sum256(content.Bytes())] = name
		}
		return nil
	})
}

// end returns what was seen.
func (o *killObserver) end() map[[32]byte]string {
	close(o.stop)
	o.done.Wait()
	return o.hash
}
