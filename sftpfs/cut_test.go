package sftpfs_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/link"
	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
)

// A cutOp is an operation under which the connection is cut.
type cutOp struct {
	flag   int // how "f" is opened beforehand; -1: it is not
	run    func(fsys *sftpfs.Fs, f afero.File) error
	repeat bool                                 // it is repeated, and so succeeds
	within func(before, now, after string) bool // states that are legal besides those before and after
	short  bool                                 // the server is OpenSSH's, with which short cuts are taken
}

const closed = -1

var (
	cutOld = random(100_000)
	cutNew = bytes.Repeat([]byte("new"), 50_000)
)

// named are legal states in which one name is in whatever state.
func named(name string) func(before, now, after string) bool {
	return func(before, now, after string) bool {
		rest := without(now, name)
		return rest == without(before, name) || rest == without(after, name)
	}
}

func without(state, name string) string {
	var kept []string
	for line := range strings.Lines(state) {
		if !strings.HasPrefix(line, name+" ") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// part are legal states in which a part is gone, and nothing else has changed.
func part(before, now, _ string) bool {
	for line := range strings.Lines(now) {
		if !strings.Contains(before, line) {
			return false
		}
	}
	return true
}

var cutOps = map[string]cutOp{
	"stat":     {closed, func(fsys *sftpfs.Fs, _ afero.File) error { _, err := fsys.Stat("f"); return err }, true, nil, false},
	"readlink": {closed, func(fsys *sftpfs.Fs, _ afero.File) error { _, err := fsys.ReadlinkIfPossible("l"); return err }, true, nil, false},
	"list": {closed, func(fsys *sftpfs.Fs, _ afero.File) error {
		entries, err := afero.ReadDir(fsys, "d")
		if err == nil && len(entries) != 3 {
			err = errors.New("a part of the listing")
		}
		return err
	}, true, nil, false},
	"open": {closed, func(fsys *sftpfs.Fs, _ afero.File) error {
		f, err := fsys.Open("f")
		if err == nil {
			f.Close()
		}
		return err
	}, true, nil, false},
	"readfile":  {closed, func(fsys *sftpfs.Fs, _ afero.File) error { return same(afero.ReadFile(fsys, "f")) }, false, nil, false},
	"mkdir":     {closed, func(fsys *sftpfs.Fs, _ afero.File) error { return fsys.Mkdir("n", 0o700) }, false, named("n"), false},
	"mkdirall":  {closed, func(fsys *sftpfs.Fs, _ afero.File) error { return fsys.MkdirAll("n/m", 0o755) }, true, named("n/m"), false},
	"rename":    {closed, func(fsys *sftpfs.Fs, _ afero.File) error { return fsys.Rename("f", "g") }, false, nil, false},
	"replace":   {closed, func(fsys *sftpfs.Fs, _ afero.File) error { return fsys.Rename("f", "d/x") }, false, nil, false},
	"move":      {closed, func(fsys *sftpfs.Fs, _ afero.File) error { return fsys.Rename("d", "e/d") }, false, nil, false},
	"remove":    {closed, func(fsys *sftpfs.Fs, _ afero.File) error { return fsys.Remove("f") }, false, nil, false},
	"rmdir":     {closed, func(fsys *sftpfs.Fs, _ afero.File) error { return fsys.Remove("e") }, false, nil, false},
	"removeall": {closed, func(fsys *sftpfs.Fs, _ afero.File) error { return fsys.RemoveAll("d") }, false, part, false},
	"chmod":     {closed, func(fsys *sftpfs.Fs, _ afero.File) error { return fsys.Chmod("f", 0o600) }, false, nil, false},
	"chtimes":   {closed, func(fsys *sftpfs.Fs, _ afero.File) error { return fsys.Chtimes("f", time.Unix(1, 0), time.Unix(1, 0)) }, false, nil, false},
	"symlink":   {closed, func(fsys *sftpfs.Fs, _ afero.File) error { return fsys.SymlinkIfPossible("f", "n") }, false, nil, false},
	"create": {closed, func(fsys *sftpfs.Fs, _ afero.File) error {
		f, err := fsys.OpenFile("n", os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			err = f.Close()
		}
		return err
	}, false, named("n"), false},
	"writefile": {closed, func(fsys *sftpfs.Fs, _ afero.File) error { return afero.WriteFile(fsys, "f", cutNew, 0o666) }, false, named("f"), false},
	"readat": {os.O_RDONLY, func(_ *sftpfs.Fs, f afero.File) error {
		b := make([]byte, len(cutOld))
		_, err := f.ReadAt(b, 0)
		return same(b, err)
	}, false, nil, false},
	"copy": {os.O_RDONLY, func(_ *sftpfs.Fs, f afero.File) error {
		var b bytes.Buffer
		_, err := io.Copy(&b, f)
		return same(b.Bytes(), err)
	}, false, nil, false},
	"fstat":  {os.O_RDONLY, func(_ *sftpfs.Fs, f afero.File) error { _, err := f.Stat(); return err }, false, nil, false},
	"close":  {os.O_RDONLY, func(_ *sftpfs.Fs, f afero.File) error { return f.Close() }, false, nil, false},
	"write":  {os.O_RDWR, func(_ *sftpfs.Fs, f afero.File) error { _, err := f.Write(cutNew); return err }, false, named("f"), false},
	"append": {os.O_WRONLY | os.O_APPEND, func(_ *sftpfs.Fs, f afero.File) error { _, err := f.Write(cutNew); return err }, false, named("f"), false},
	"upload": {os.O_WRONLY, func(_ *sftpfs.Fs, f afero.File) error {
		n, err := f.(io.ReaderFrom).ReadFrom(bytes.NewReader(cutNew))
		if n != f.(*sftpfs.File).Acknowledged() {
			return errors.New("acknowledged is something else")
		}
		return err
	}, false, named("f"), false},
	"truncate": {os.O_RDWR, func(_ *sftpfs.Fs, f afero.File) error { return f.Truncate(7) }, false, nil, false},
}

// shortOps are those for which there is a short cut where a server works in order.
var shortOps = map[string]cutOp{
	"readdir": {closed, func(fsys *sftpfs.Fs, _ afero.File) error {
		entries, err := fsys.ReadDir("d")
		if err == nil && len(entries) != 3 {
			err = errors.New("a part of the listing")
		}
		return err
	}, true, nil, true},
	"makedir": {closed, func(fsys *sftpfs.Fs, _ afero.File) error {
		fi, err := fsys.MakeDir("n", 0o700)
		if err == nil && fi.Mode() != fs.ModeDir|0o700 {
			err = errors.New("another mode")
		}
		return err
	}, false, named("n"), true},
	"readversion": {closed, func(fsys *sftpfs.Fs, _ afero.File) error {
		content, fi, err := fsys.ReadVersion("d/x", 1, cutTime)
		if err == nil && (string(content) != "x" || fi.Size() != 1) {
			err = errors.New("other bytes")
		}
		return err
	}, true, nil, true},
	"stage": {closed, func(fsys *sftpfs.Fs, _ afero.File) error {
		staged, there, err := fsys.Stage("n", cutNew[:40_000], 0o640, cutTime, cutTime, "f")
		if err == nil && (staged.Size() != 40_000 || staged.Mode() != 0o640 || !staged.ModTime().Equal(cutTime) ||
			there.Size() != int64(len(cutOld))) {
			err = errors.New("something else")
		}
		return err
	}, false, named("n"), true},
}

var cutTime = time.Unix(1_000_000_000, 0)

// same tells whether what was read without an error is what was there.
func same(b []byte, err error) error {
	if err == nil && !bytes.Equal(b, cutOld) {
		err = errors.New("other bytes")
	}
	return err
}

// A cutWorld is a server behind a link, and another way to the server.
type cutWorld struct {
	t        *testing.T
	link     *link.Link
	cfg      sftpfs.Config
	tap      *tap // of the last connection
	observer *sftpfs.Fs
	roots    func(testing.TB) string
	now      afero.Fs // the observer, at the root of the case
}

func newCutWorld(t *testing.T, openSSH bool) *cutWorld {
	cfg := sftpfs.Config{}
	if openSSH {
		cfg = openSSHConfig(opensshtest.Start(t, opensshtest.Options{}))
	} else {
		cfg = newServer(t, nil).Config()
	}
	dir := cfg.Root
	cfg.Root = "/"
	w := &cutWorld{t: t, observer: newFs(t, cfg)}
	w.link, w.cfg = far(t, cfg, link.Options{})
	dial := w.cfg.Dial
	w.cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		w.tap = &tap{Conn: c}
		return w.tap, nil
	}
	w.roots = rootsOf(w.observer, dir)
	return w
}

// start prepares a case, up to the moment before the operation.
func (w *cutWorld) start(op cutOp) (fsys *sftpfs.Fs, f afero.File) {
	cfg := w.cfg
	cfg.Root = w.roots(w.t)
	w.now = afero.NewBasePathFs(w.observer, cfg.Root)
	require.NoError(w.t, afero.WriteFile(w.now, "f", cutOld, 0o644))
	require.NoError(w.t, w.now.MkdirAll("d/sub", 0o755))
	require.NoError(w.t, w.now.Mkdir("e", 0o755))
	require.NoError(w.t, afero.WriteFile(w.now, "d/x", []byte("x"), 0o644))
	require.NoError(w.t, w.now.Chtimes("d/x", cutTime, cutTime))
	require.NoError(w.t, afero.WriteFile(w.now, "d/y", []byte("y"), 0o644))
	require.NoError(w.t, w.observer.SymlinkIfPossible("f", cfg.Root+"/l"))
	fsys, err := sftpfs.New(cfg)
	require.NoError(w.t, err)
	require.NoError(w.t, fsys.Connect(w.t.Context()))
	_, err = fsys.Stat("/") // what connecting has asked for is answered
	require.NoError(w.t, err)
	if op.flag != closed {
		f, err = fsys.OpenFile("f", op.flag, 0)
		require.NoError(w.t, err)
	}
	return fsys, f
}

func (w *cutWorld) state() string {
	tree, err := aferotest.Tree(w.now)
	if err != nil { // it changed meanwhile
		return err.Error()
	}
	var b strings.Builder
	for name, e := range tree {
		fmt.Fprintf(&b, "%s %v %x\n", name, e, sha256.Sum256([]byte(e.Content)))
	}
	return sortLines(b.String())
}

func sortLines(s string) string {
	return strings.Join(slices.Sorted(strings.Lines(s)), "")
}

// A tap keeps what goes over a connection, by direction.
type tap struct {
	net.Conn
	mu   sync.Mutex
	seen [2][]byte
}

func (c *tap) keep(d link.Direction, b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[d] = append(c.seen[d], b...)
}

func (c *tap) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.keep(link.Down, b[:n])
	return n, err
}

func (c *tap) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.keep(link.Up, b[:n])
	return n, err
}

func (c *tap) take() [2][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := c.seen
	c.seen = [2][]byte{}
	return seen
}

// boundaries returns where the SSH packets in b begin. Its cipher, AES-GCM, leaves their lengths readable.
func boundaries(b []byte) []int64 {
	const tag = 16
	var starts []int64
	for at := 0; at+4 <= len(b); at += 4 + int(binary.BigEndian.Uint32(b[at:])) + tag {
		starts = append(starts, int64(at))
	}
	return starts
}

// For every operation, the connection is cut at each packet of either side, and inside. The call ends with the right
// error or succeeds, the server's state is a legal one, and the next call works.
func TestCutUnderEachOperation(t *testing.T) {
	t.Parallel()
	ops := maps.Clone(shortOps)
	maps.Copy(ops, cutOps)
	for name, op := range ops {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newCutWorld(t, op.short)
			before, after, seen := w.record(op)
			for range 3 { // a server puts answers into packets as it has time
				_, _, again := w.record(op)
				for d := range seen {
					if len(again[d]) < len(seen[d]) {
						seen[d] = again[d]
					}
				}
			}

			came, cuts := 0, w.cuts(seen)
			for _, c := range cuts {
				for range 4 {
					if w.cutUnder(op, c, before, after) {
						came++
						break
					}
				}
			}
			t.Logf("%d of %d cuts came, and were survived", came, len(cuts))
			require.GreaterOrEqual(t, came*10, len(cuts)*9)
		})
	}
}

// record makes an operation without a cut. It returns the server's state before and after, and what went over the connection.
func (w *cutWorld) record(op cutOp) (before, after string, seen [2][]byte) {
	fsys, f := w.start(op)
	before = w.state()
	w.tap.take()
	require.NoError(w.t, op.run(fsys, f))
	seen = w.tap.take()
	after = w.state()
	require.NoError(w.t, fsys.Close())
	return before, after, seen
}

type cutAt struct {
	direction link.Direction
	n         int64
}

// cuts returns where to cut: at all boundaries and once between.
func (w *cutWorld) cuts(seen [2][]byte) []cutAt {
	var all []cutAt
	for d, b := range seen {
		require.NotEmpty(w.t, boundaries(b))
		for _, at := range boundaries(b) {
			all = append(all, cutAt{link.Direction(d), at}, cutAt{link.Direction(d), at + 1 + rand.Int64N(20)})
		}
	}
	return all
}

func (w *cutWorld) cutUnder(op cutOp, c cutAt, before, after string) (came bool) {
	t, where := w.t, fmt.Sprintf("cut at %+v", c)
	fsys, f := w.start(op)
	cut := w.link.CutAfter(c.direction, c.n)
	done := make(chan error, 1)
	go func() { done <- op.run(fsys, f) }()
	var err error
	select {
	case err = <-done:
	case <-time.After(soon):
		t.Fatal(where, "is still waiting")
	}
	came = cut.Cancel() // or the operation was through before
	_, serr := fsys.Stat("/")
	require.NoError(t, serr, where)
	require.NoError(t, fsys.Close())

	if op.repeat {
		require.NoError(t, err, where)
	}
	legal := func() bool {
		now := w.state()
		if err == nil {
			return now == after
		}
		return now == before || now == after || op.within != nil && op.within(before, now, after)
	}
	if err != nil {
		require.ErrorIs(t, err, sftpfs.ErrUnavailable, where)
		require.NotErrorIs(t, err, fs.ErrNotExist, where)
	}
	for began := time.Now(); !legal(); time.Sleep(time.Millisecond) { // the server may be at it still
		require.Less(t, time.Since(began), soon, "%s: %v: %s", where, err, w.state())
	}
	return came
}
