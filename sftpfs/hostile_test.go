package sftpfs

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wiretest"
)

// A hostile server answers as its test has it. What the test leaves open it answers as if every name were the
// directory "d" or else a file of seven bytes.
type hostile struct {
	answer  func(h *hostile, r wiretest.Request) []byte // nil: as an honest server; empty: nothing
	inOrder bool                                        // short cuts are taken with it, and handles are numbered as OpenSSH does
	modSFTP bool                                        // it ends a file where it ended when it was opened
	timeout time.Duration                               // of a request; 0: none

	mu    sync.Mutex
	paths []string // in requests
	ended bool     // the listing was read
	stats uint64
	made  uint32   // handles
	free  []string // those of them that were closed
}

const (
	hostileRoot    = "/srv/root"
	hostileContent = "content"
)

func (h *hostile) honest(r wiretest.Request) []byte {
	switch r.Kind {
	case wiretest.Init:
		if h.inOrder {
			return wiretest.VersionPacket(wire.ExtensionFsync, "1")
		}
		return wiretest.VersionPacket()
	case wiretest.Stat, wiretest.Lstat, wiretest.Fstat:
		if strings.HasSuffix(r.Text(), "d") {
			return wiretest.Packet(wiretest.Attrs, r.ID, wiretest.AttrsOf(0, 0o40755, 1e9))
		}
		return wiretest.Packet(wiretest.Attrs, r.ID, wiretest.AttrsOf(uint64(len(hostileContent)), 0o100644, 1e9))
	case wiretest.Open, wiretest.OpenDir:
		return wiretest.Packet(wiretest.Handle, r.ID, h.handle(r.Text()))
	case wiretest.Close:
		h.free = append(h.free, r.Text())
	case wiretest.Read:
		r.Text()
		if off := r.Uint64(); off < uint64(len(hostileContent)) {
			return wiretest.Packet(wiretest.Data, r.ID, hostileContent[off:])
		}
		return wiretest.StatusPacket(r.ID, wiretest.EOF)
	case wiretest.ReadDir:
		if h.ended = !h.ended; h.ended {
			return wiretest.NamesPacket(r.ID, ".", "..", "f")
		}
		return wiretest.StatusPacket(r.ID, wiretest.EOF)
	case wiretest.Readlink, wiretest.Realpath:
		if r.Kind == wiretest.Readlink && strings.HasSuffix(r.Text(), "d") {
			return wiretest.StatusPacket(r.ID, wiretest.Failure)
		}
		return wiretest.Packet(wiretest.Name, r.ID, uint32(1), "f", "f", wiretest.AttrsOf(0, 0o100644, 1e9))
	}
	return wiretest.StatusPacket(r.ID, wiretest.OK)
}

func (h *hostile) handle(path string) string {
	if !h.inOrder {
		return path
	}
	if last := len(h.free) - 1; last >= 0 {
		defer func() { h.free = h.free[:last] }()
		return h.free[last]
	}
	h.made++
	return numbered(h.made - 1)
}

func (h *hostile) serve(c io.ReadWriteCloser) {
	wiretest.Serve(c, func(r wiretest.Request) []byte {
		h.mu.Lock()
		if p := r; r.Kind > wiretest.Close && r.Kind != wiretest.Read || r.Kind == wiretest.Open {
			h.paths = append(h.paths, p.Text())
		}
		h.mu.Unlock()
		reply := []byte(nil)
		if h.answer != nil && r.Kind != wiretest.Init {
			reply = h.answer(h, r)
		}
		if reply == nil {
			reply = h.honest(r)
		}
		return reply
	})
}

// hostileOpener connects to the server through pipes.
type hostileOpener struct {
	h          *hostile
	wg         *sync.WaitGroup
	maxListing int
	inOrder    bool
	modSFTP    bool
	timeout    time.Duration // of a request; 0: none
}

func (o hostileOpener) connect(context.Context, func(*connection)) (*session, error) {
	here, there := net.Pipe()
	o.wg.Go(func() { o.h.serve(there) })
	c := newConnection("hostile:22")
	c.conn = &liveConn{Conn: here}
	w := wire.New(here, cmp.Or(o.maxListing, wire.MaxListing))
	client, err := sftp.NewClientPipe(w, w)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrUnavailable, err)
	}
	s := newSession(client, c, newLearnt())
	s.wire, s.root, s.openSSH, s.modSFTP = w, hostileRoot, o.inOrder, o.modSFTP
	c.wg.Go(s.watch)
	if o.timeout > 0 {
		c.wg.Go(func() { c.enforceRequestTimeout(o.timeout) })
	}
	return s, nil
}

func (o hostileOpener) extend(context.Context, *connection) (*session, error) {
	return nil, errors.New("one is enough")
}

func (h *hostile) start(t testing.TB, maxListing int) *Fs {
	t.Helper()
	var wg sync.WaitGroup
	m := newManager(hostileOpener{h, &wg, maxListing, h.inOrder, h.modSFTP, h.timeout}, newLearnt(), 1, 1)
	t.Cleanup(func() { m.close(); wg.Wait() })
	return newFs(m, m.learnt)
}

// calls are all that a program can do, each in a way that needs the server.
var calls = map[string]func(fsys *Fs) error{
	"stat":  func(fsys *Fs) error { _, err := fsys.Stat("f"); return err },
	"lstat": func(fsys *Fs) error { _, _, err := fsys.LstatIfPossible("f"); return err },
	"read":  func(fsys *Fs) error { _, err := afero.ReadFile(fsys, "f"); return err },
	"copy": func(fsys *Fs) error {
		return withFile(fsys, os.O_RDONLY, func(f *File) error { _, err := f.WriteTo(io.Discard); return err })
	},
	"readat": func(fsys *Fs) error {
		return withFile(fsys, os.O_RDONLY, func(f *File) error { _, err := f.ReadAt(make([]byte, 7), 0); return err })
	},
	"fstat": func(fsys *Fs) error {
		return withFile(fsys, os.O_RDONLY, func(f *File) error { _, err := f.Stat(); return err })
	},
	"seek": func(fsys *Fs) error {
		return withFile(fsys, os.O_RDONLY, func(f *File) error { _, err := f.Seek(0, io.SeekEnd); return err })
	},
	"write": func(fsys *Fs) error { return afero.WriteFile(fsys, "f", []byte("other"), 0o600) },
	"append": func(fsys *Fs) error {
		return withFile(fsys, os.O_WRONLY|os.O_APPEND, func(f *File) error { _, err := f.WriteString("x"); return err })
	},
	"upload": func(fsys *Fs) error {
		return withFile(fsys, os.O_WRONLY|os.O_CREATE, func(f *File) error { _, err := f.ReadFrom(strings.NewReader("other")); return err })
	},
	"truncate": func(fsys *Fs) error { return withFile(fsys, os.O_RDWR, func(f *File) error { return f.Truncate(1) }) },
	"list":     func(fsys *Fs) error { _, err := afero.ReadDir(fsys, "d"); return err },
	"makedir":  func(fsys *Fs) error { _, err := fsys.MakeDir("n", 0o700); return err },
	"readversion": func(fsys *Fs) error {
		content, _, err := fsys.ReadVersion("f", int64(len(hostileContent)), time.Unix(1e9, 0))
		if err == nil && len(content) != len(hostileContent) {
			return errors.New("panic: a part of a file")
		}
		return orSupported(err)
	},
	"stage": func(fsys *Fs) error {
		_, _, err := fsys.Stage("n", []byte("other"), 0o600, time.Unix(1e9, 0), time.Unix(1e9, 0), "f")
		return orSupported(err)
	},
	"mkdir":     func(fsys *Fs) error { return fsys.Mkdir("n", 0o700) },
	"mkdirall":  func(fsys *Fs) error { return fsys.MkdirAll("d/d", 0o700) },
	"rename":    func(fsys *Fs) error { return fsys.Rename("f", "g") },
	"remove":    func(fsys *Fs) error { return fsys.Remove("f") },
	"removeall": func(fsys *Fs) error { return fsys.RemoveAll("d") },
	"chmod":     func(fsys *Fs) error { return fsys.Chmod("f", 0o600) },
	"chown":     func(fsys *Fs) error { return fsys.Chown("f", -1, 1) },
	"chtimes":   func(fsys *Fs) error { return fsys.Chtimes("f", time.Unix(1, 0), time.Time{}) },
	"symlink":   func(fsys *Fs) error { return fsys.SymlinkIfPossible("f", "l") },
	"readlink":  func(fsys *Fs) error { _, err := fsys.ReadlinkIfPossible("l"); return err },
}

// orSupported leaves out that there is no short cut.
func orSupported(err error) error {
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

func withFile(fsys *Fs, flag int, use func(*File) error) error {
	f, err := fsys.OpenFile("f", flag, 0o600)
	if err != nil {
		return err
	}
	err = use(f.(*File))
	return errors.Join(err, f.Close())
}

// Whatever a server answers, every call ends, without a panic, and touches nothing outside the root.
func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	always := func(reply func(r wiretest.Request) []byte) func(*hostile, wiretest.Request) []byte {
		return func(_ *hostile, r wiretest.Request) []byte { return reply(r) }
	}
	status := func(code uint32) func(*hostile, wiretest.Request) []byte {
		return always(func(r wiretest.Request) []byte { return wiretest.Packet(wiretest.Status, r.ID, code, "words", "") })
	}
	for name, reply := range map[string]func(*hostile, wiretest.Request) []byte{
		"honest":              nil,
		"always OK":           status(wiretest.OK),
		"always the end":      status(wiretest.EOF),
		"always a failure":    status(wiretest.Failure),
		"a status of our own": status(1 << 31),
		"an unknown code":     status(77),
		"a status cut short":  always(func(r wiretest.Request) []byte { return wiretest.Packet(wiretest.Status, r.ID, []byte{0, 0}) }),
		"a status without why": always(func(r wiretest.Request) []byte {
			return wiretest.Packet(wiretest.Status, r.ID, uint32(wiretest.Failure))
		}),
		"another id": always(func(r wiretest.Request) []byte { return wiretest.Packet(wiretest.Status, r.ID+1, uint32(0), "", "") }),
		"our own id": always(func(wiretest.Request) []byte {
			return wiretest.Packet(wiretest.ExtendedReply, math.MaxUint32-1<<20, uint32(0))
		}),
		"an unknown type":      always(func(r wiretest.Request) []byte { return wiretest.Packet(250, r.ID, "what?") }),
		"always data":          always(func(r wiretest.Request) []byte { return wiretest.Packet(wiretest.Data, r.ID, "x") }),
		"always a handle":      always(func(r wiretest.Request) []byte { return wiretest.Packet(wiretest.Handle, r.ID, "h") }),
		"an empty handle":      always(func(r wiretest.Request) []byte { return wiretest.Packet(wiretest.Handle, r.ID, "") }),
		"always a name":        always(func(r wiretest.Request) []byte { return wiretest.NamesPacket(r.ID, "x") }),
		"always two names":     always(func(r wiretest.Request) []byte { return wiretest.NamesPacket(r.ID, "x", "y") }),
		"no names":             always(func(r wiretest.Request) []byte { return wiretest.NamesPacket(r.ID) }),
		"names cut short":      always(func(r wiretest.Request) []byte { return wiretest.Packet(wiretest.Name, r.ID, uint32(9), "x") }),
		"a billion names":      always(func(r wiretest.Request) []byte { return wiretest.Packet(wiretest.Name, r.ID, uint32(1<<30)) }),
		"attributes cut short": always(func(r wiretest.Request) []byte { return wiretest.Packet(wiretest.Attrs, r.ID, uint32(1)) }),
		"extended attributes": always(func(r wiretest.Request) []byte {
			return wiretest.Packet(wiretest.Attrs, r.ID, uint32(1<<31), uint32(math.MaxUint32), "k", "v")
		}),
		"an empty packet":  always(func(wiretest.Request) []byte { return []byte{0, 0, 0, 0} }),
		"a short packet":   always(func(wiretest.Request) []byte { return []byte{0, 0, 0, 1, 101} }),
		"a huge packet":    always(func(wiretest.Request) []byte { return []byte{0x7f, 0xff, 0xff, 0xff, 101, 0, 0, 0, 0} }),
		"garbage":          always(func(wiretest.Request) []byte { return bytes.Repeat([]byte("garbage"), 99) }),
		"another protocol": always(func(wiretest.Request) []byte { return []byte("HTTP/1.1 400 Bad Request\r\n\r\n") }),
		"two answers": always(func(r wiretest.Request) []byte {
			b := wiretest.Packet(wiretest.Status, r.ID, uint32(2), "", "")
			return append(b, b...)
		}),
		"more data than asked": dataOf(func(asked uint32) int { return int(asked) + 1 }),
		"no data":              dataOf(func(uint32) int { return 0 }),
		"one byte at a time":   dataOf(func(uint32) int { return 1 }),
		"a length without data": always(func(r wiretest.Request) []byte {
			return only(wiretest.Read, r, wiretest.Packet(wiretest.Data, r.ID, uint32(7)))
		}),
		"a negative size":        sizeOf(func(uint64) uint64 { return math.MaxUint64 }),
		"a huge size":            sizeOf(func(uint64) uint64 { return 1 << 62 }),
		"another size each time": sizeOf(func(n uint64) uint64 { return n }),
	} {
		for what, call := range calls {
			for _, inOrder := range []bool{false, true} {
				h := &hostile{answer: reply, inOrder: inOrder}
				fsys := h.start(t, 100_000)
				done := make(chan error, 1)
				go func() { done <- call(fsys) }()
				select {
				case err := <-done:
					switch {
					case reply == nil && what != "mkdirall" && what != "rename":
						require.NoError(t, err, what)
					case err != nil:
						require.NotContains(t, err.Error(), "panic", "%s: %s", name, what)
					}
				case <-time.After(2 * time.Minute): // this is no measurement
					t.Fatalf("%s: %s is still waiting", name, what)
				}
				h.mu.Lock()
				for _, p := range h.paths {
					within := strings.HasPrefix(p, hostileRoot) && !strings.Contains(p, "..")
					require.True(t, within || p == "f" || !strings.HasPrefix(p, "/"), "%s: %s: %q", name, what, p)
				}
				h.mu.Unlock()
				require.NoError(t, fsys.Close())
			}
		}
	}
}

func only(kind byte, r wiretest.Request, reply []byte) []byte {
	if r.Kind != kind {
		return nil
	}
	return reply
}

func dataOf(size func(asked uint32) int) func(*hostile, wiretest.Request) []byte {
	return func(_ *hostile, r wiretest.Request) []byte {
		if r.Kind != wiretest.Read {
			return nil
		}
		r.Text()
		off := r.Uint64()
		n := size(r.Uint32())
		if off >= uint64(len(hostileContent)) && n == 1 {
			return nil
		}
		return wiretest.Packet(wiretest.Data, r.ID, strings.Repeat("x", n))
	}
}

func sizeOf(size func(n uint64) uint64) func(*hostile, wiretest.Request) []byte {
	return func(h *hostile, r wiretest.Request) []byte {
		if r.Kind != wiretest.Stat && r.Kind != wiretest.Lstat && r.Kind != wiretest.Fstat {
			return nil
		}
		h.stats++
		return wiretest.Packet(wiretest.Attrs, r.ID, wiretest.AttrsOf(size(h.stats), 0o100644, 1e9+uint32(h.stats)))
	}
}

// What matters of these answers is also what the call then says.
func TestHostileErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		call   string
		answer func(*hostile, wiretest.Request) []byte
		is     error
		says   string
	}{
		"OK for a file": {"readat", func(_ *hostile, r wiretest.Request) []byte {
			return only(wiretest.Open, r, wiretest.StatusPacket(r.ID, wiretest.OK))
		}, ErrUnavailable, "says OK"},
		"more than asked": {"readat", dataOf(func(n uint32) int { return int(n) + 1 }), ErrUnavailable, "8 bytes, 7 were"},
		"no data":         {"readat", dataOf(func(uint32) int { return 0 }), io.ErrUnexpectedEOF, "ends the file at 0 of 7"},
		"negative size":   {"stat", sizeOf(func(uint64) uint64 { return math.MaxUint64 }), fs.ErrInvalid, "size"},
		"another id": {"stat", func(_ *hostile, r wiretest.Request) []byte {
			return wiretest.Packet(wiretest.Status, r.ID+1, uint32(0), "", "")
		}, ErrUnavailable, "not asked"},
		"garbage": {"stat", func(*hostile, wiretest.Request) []byte { return []byte("HTTP/1.1 400") }, ErrUnavailable, "malformed"},
	} {
		err := calls[c.call]((&hostile{answer: c.answer}).start(t, 100_000))
		require.Error(t, err, name)
		require.ErrorContains(t, err, c.says, name)
		if c.is != nil {
			require.ErrorIs(t, err, c.is, name)
		}
		require.NotErrorIs(t, err, fs.ErrNotExist, name)
	}
}

// A name that is none fails the listing, and what would make a path of it; the connection stays.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a/b", "/etc/passwd", "../x", "x/..", "/", "", "a\x00b"} {
		h := &hostile{answer: func(h *hostile, r wiretest.Request) []byte {
			if r.Kind == wiretest.ReadDir && strings.HasSuffix(r.Text(), "d") {
				return only(wiretest.ReadDir, r, wiretest.NamesPacket(r.ID, "ok", name))
			}
			return nil
		}}
		fsys := h.start(t, 0)
		_, err := afero.ReadDir(fsys, "d")
		require.ErrorIs(t, err, fs.ErrInvalid, "%q", name)
		require.ErrorContains(t, err, fmt.Sprintf("readdir d: the server lists an entry %q", name))
		require.ErrorIs(t, fsys.RemoveAll("d"), fs.ErrInvalid, "%q", name)
		require.NoError(t, calls["stat"](fsys))
		for _, p := range h.paths {
			require.True(t, strings.HasPrefix(p, hostileRoot), "%q: %q", name, p)
		}
	}
}

// A server that asks how long a file is only when it opens it ends it there also when it has grown. The rest comes through
// another handle.
func TestReadsWhatAFileHasGrownBy(t *testing.T) {
	t.Parallel()
	grown := hostileContent + " and more"
	opened := uint32(0)
	h := &hostile{modSFTP: true, answer: func(_ *hostile, r wiretest.Request) []byte {
		switch r.Kind {
		case wiretest.Open:
			opened++
			return wiretest.Packet(wiretest.Handle, r.ID, numbered(opened))
		case wiretest.Fstat:
			return wiretest.Packet(wiretest.Attrs, r.ID, wiretest.AttrsOf(uint64(len(grown)), 0o100644, 1e9))
		case wiretest.Read:
			content := hostileContent
			if r.Text() != numbered(1) {
				content = grown
			}
			if off := r.Uint64(); off < uint64(len(content)) {
				return wiretest.Packet(wiretest.Data, r.ID, content[off:])
			}
			return wiretest.StatusPacket(r.ID, wiretest.EOF)
		}
		return nil
	}}
	require.NoError(t, withFile(h.start(t, 100_000), os.O_RDONLY, func(f *File) error {
		b := make([]byte, len(grown))
		_, err := f.ReadAt(b, 0)
		require.Equal(t, grown, string(b))
		return err
	}))
	require.EqualValues(t, 2, opened)
}

// What a server says in words is kept in errors, of which there may be one for each file, and its handles go into every
// request: neither is as long as it likes.
func TestHostileLengths(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", wire.MaxPacket-100)
	for what, call := range calls {
		h := &hostile{answer: func(_ *hostile, r wiretest.Request) []byte {
			return wiretest.Packet(wiretest.Status, r.ID, uint32(wiretest.Failure), long, "")
		}}
		if err := call(h.start(t, 0)); err != nil {
			require.Less(t, len(err.Error()), 2*256, what)
		}
	}
	const mostHandle = 4096
	for _, n := range []int{mostHandle, mostHandle + 1, len(long)} {
		sent := 0
		h := &hostile{answer: func(_ *hostile, r wiretest.Request) []byte {
			sent += len(r.Body)
			if r.Kind == wiretest.Open || r.Kind == wiretest.OpenDir {
				return wiretest.Packet(wiretest.Handle, r.ID, long[:n])
			}
			return nil
		}}
		for _, what := range []string{"read", "list"} {
			err := calls[what](h.start(t, 0))
			if n > mostHandle {
				require.ErrorIs(t, err, ErrUnavailable, what)
				require.ErrorContains(t, err, "handle", what)
			}
		}
		require.Less(t, sent, wire.MaxPacket/2)
	}
}
