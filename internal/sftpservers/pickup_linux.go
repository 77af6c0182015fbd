package sftpservers

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Pickup is a program that takes each file out of one directory as soon as it is complete: closed after it was open for
// writing, or renamed into or within the directory. Programs that process what is delivered to them work like this.
type Pickup struct {
	t        testing.TB
	dir, out string
	syncs    string // a directory whose files are only signs in the queue of events
	inotify  *os.File
	watched  map[int32]string // directories by watch

	mu    sync.Mutex // guards the fields below
	taken []Taken
	seen  map[string]chan struct{} // closed when the file in syncs is seen
	err   error
}

// complete are the events that make a file complete.
const complete = unix.IN_CLOSE_WRITE | unix.IN_MOVED_TO

// StartPickup starts a Pickup of dir, which may be Server.Root or a directory in it. It ends with the test.
func StartPickup(t testing.TB, dir string) *Pickup {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	require.NoError(t, err)
	private := tempDir(t)
	p := &Pickup{
		t: t, dir: dir, out: filepath.Join(private, "out"), syncs: filepath.Join(private, "syncs"),
		inotify: os.NewFile(uintptr(fd), "inotify"), watched: make(map[int32]string), seen: make(map[string]chan struct{}),
	}
	for _, made := range []string{p.out, p.syncs} {
		require.NoError(t, os.Mkdir(made, 0o755))
	}
	for _, watched := range []string{p.dir, p.syncs} {
		w, err := unix.InotifyAddWatch(fd, watched, complete)
		require.NoError(t, err)
		p.watched[int32(w)] = watched
	}
	done := make(chan struct{})
	go func() { defer close(done); p.run() }()
	t.Cleanup(func() { p.inotify.Close(); <-done })
	return p
}

// Taken returns what was taken of all that was complete before the call, in the order in which it was completed.
func (p *Pickup) Taken() []Taken {
	p.t.Helper()
	sign, err := os.CreateTemp(p.syncs, "")
	require.NoError(p.t, err)
	seen := make(chan struct{})
	p.mu.Lock()
	p.seen[filepath.Base(sign.Name())] = seen
	p.mu.Unlock()
	require.NoError(p.t, sign.Close()) // comes after the events of everything before
	select {
	case <-seen:
	case <-time.After(patience):
		p.t.Fatal("the pickup stands still")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	require.NoError(p.t, p.err)
	return slices.Clone(p.taken)
}

// run takes files until inotify is closed.
func (p *Pickup) run() {
	buffer := make([]byte, 64<<10)
	for {
		n, err := p.inotify.Read(buffer)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		p.note(err)
		if err != nil {
			return
		}
		for events := buffer[:n]; len(events) > 0; {
			const header = unix.SizeofInotifyEvent
			watch := int32(binary.NativeEndian.Uint32(events))
			mask := binary.NativeEndian.Uint32(events[4:])
			end := header + binary.NativeEndian.Uint32(events[12:])
			name := string(bytes.TrimRight(events[header:end], "\x00"))
			events = events[end:]
			switch {
			case mask&unix.IN_Q_OVERFLOW != 0:
				p.note(errors.New("too many events"))
			case mask&complete != 0 && mask&unix.IN_ISDIR == 0:
				p.take(p.watched[watch], name)
			}
		}
	}
}

func (p *Pickup) note(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = errors.Join(p.err, err)
}

func (p *Pickup) take(dir, name string) {
	if dir == p.syncs {
		p.mu.Lock()
		defer p.mu.Unlock()
		close(p.seen[name])
		return
	}
	moved := filepath.Join(p.out, name)
	err := os.Rename(filepath.Join(dir, name), moved)
	if errors.Is(err, fs.ErrNotExist) {
		return // renamed or removed meanwhile, or taken after an earlier event
	}
	content, rerr := os.ReadFile(moved)
	if err = errors.Join(err, rerr); err != nil {
		p.note(err)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken = append(p.taken, Taken{name, string(content)})
}
