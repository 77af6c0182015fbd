//go:build unix

package soak

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// observer looks at the server's directory all the time: each visible file is whole, and none of the directories called
// stable is ever missing.
type observer struct {
	t    testing.TB
	root string
	stop func() // and wait

	seen   map[seen]bool
	stable map[string]bool
	looks  int
}

type seen struct {
	inode       uint64
	size, mtime int64
}

func observe(t testing.TB, root string) *observer {
	o := &observer{t: t, root: root, seen: map[seen]bool{}, stable: map[string]bool{}}
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	o.stop = func() { cancel(); done.Wait() }
	t.Cleanup(o.stop)
	done.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(2 * time.Millisecond): // leaves the processor to those who are observed
				o.look()
			}
		}
	})
	return o
}

func (o *observer) look() {
	for name := range o.stable {
		if _, err := os.Lstat(name); err != nil {
			o.t.Errorf("hidden: %v", err)
			delete(o.stable, name)
		}
	}
	_ = filepath.WalkDir(o.root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil: // it was removed or renamed meanwhile
		case d.IsDir() && d.Name() == direct:
			return filepath.SkipDir
		case d.Type().IsRegular() && !localdir.Reserved(d.Name()):
			o.lookAt(name)
		}
		return nil
	})
	o.looks++
}

func (o *observer) lookAt(name string) {
	f, err := os.Open(name)
	if err != nil {
		return
	}
	defer f.Close()
	if filepath.Base(filepath.Dir(name)) == stable {
		o.stable[name] = true
	}
	fi, err := f.Stat()
	if err != nil || !fi.Mode().IsRegular() {
		return
	}
	is := seen{fi.Sys().(*syscall.Stat_t).Ino, fi.Size(), fi.ModTime().UnixNano()}
	if o.seen[is] {
		return
	}
	o.seen[is] = true
	content := make([]byte, fi.Size())
	if _, err := f.ReadAt(content, 0); err != nil && fi.Size() > 0 {
		o.t.Errorf("%s: %v", name, err)
	} else if _, err := ends(content); err != nil {
		o.t.Errorf("on the server, %s: %s", name, summary(content))
	}
}

// end ends the observation and reports how much was seen.
func (o *observer) end() (looks, files int) {
	o.stop()
	return o.looks, len(o.seen)
}
