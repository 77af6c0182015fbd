package sftpfs

import (
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wiretest"
)

// What is sent together waits for no answer in between: the server gives none before it has all of it.
func TestShortCutsWaitForNothing(t *testing.T) {
	t.Parallel()
	then := time.Unix(1e9, 0)
	for name, c := range map[string]struct {
		last  byte // request
		nth   int  // of its kind
		count int  // requests in all
		call  func(*Fs) error
	}{
		"list": {wiretest.Close, 1, fewReadDirs + 2, func(fsys *Fs) error {
			entries, err := fsys.ReadDir("d")
			require.Len(t, entries, 1)
			return err
		}},
		"make a directory": {wiretest.Lstat, 1, 2, func(fsys *Fs) error {
			_, err := fsys.MakeDir("d", 0o755)
			return err
		}},
		"read": {wiretest.Close, 1, 4, func(fsys *Fs) error {
			content, fi, err := fsys.ReadVersion("f", int64(len(hostileContent)), then)
			require.Equal(t, hostileContent, string(content))
			require.Equal(t, then.Unix(), fi.ModTime().Unix())
			return err
		}},
		"write": {wiretest.Close, 1, 7, func(fsys *Fs) error {
			_, there, err := fsys.Stage("n", make([]byte, packet+1), 0o644, then, then, "f")
			require.EqualValues(t, len(hostileContent), there.Size())
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var held []byte
			count, nth := 0, 0
			h := &hostile{inOrder: true, answer: func(h *hostile, r wiretest.Request) []byte {
				if nth == c.nth {
					return nil
				}
				count++
				if r.Kind == c.last {
					nth++
				}
				held = append(held, h.honest(r)...)
				if nth < c.nth {
					return []byte{}
				}
				return held
			}}
			require.NoError(t, c.call(h.start(t, 100_000)))
			require.Equal(t, c.count, count)
		})
	}
}

// An OpenSSH works in order, but not every server that it runs, which shows when that says what it offers.
func TestInOrder(t *testing.T) {
	t.Parallel()
	for _, openSSH := range []bool{false, true} {
		server := newLearnt()
		connected := func(w *wire.Wire) *session {
			s := newSession(nil, newConnection("host:22"), server)
			s.openSSH, s.wire = openSSH, w
			return s
		}
		for _, other := range []*wire.Wire{
			initializedWire(), initializedWire(wire.ExtensionFsync, "1", "vendor-id", "Green End"),
		} {
			require.False(t, connected(other).inOrder(), "of another make")
		}
		own := connected(initializedWire(wire.ExtensionFsync, "1", wire.ExtensionLimits, "1", "copy-data", "1"))
		require.Equal(t, openSSH, own.inOrder())
		require.Equal(t, openSSH, connected(wire.New(nil, 0)).inOrder(), "as on an earlier connection")
		server = newLearnt()
		lost := connected(wire.New(nil, 0))
		lost.fail(fs.ErrClosed)
		require.False(t, lost.inOrder(), "it never said what it is")
	}
}

// What comes back is what the longer ways find, and where those find an error, so does the short cut.
func TestShortCutsWhereAServerRefuses(t *testing.T) {
	t.Parallel()
	h := &hostile{inOrder: true, answer: func(_ *hostile, r wiretest.Request) []byte {
		if r.Kind == wiretest.Fsetstat {
			return wiretest.Packet(wiretest.Status, r.ID, uint32(3), "no", "")
		}
		return nil
	}}
	fsys := h.start(t, 100_000)
	now := time.Unix(1e9, 0)
	for range 2 {
		_, _, err := fsys.Stage("n", []byte("text"), 0o644, now, now, "f")
		require.ErrorIs(t, err, errors.ErrUnsupported)
	}
	require.Len(t, h.paths, 5, "what it has refused it is not asked again: OPEN, WRITE, FSETSTAT, FSTAT, LSTAT")

	_, _, err := fsys.ReadVersion("f", int64(len(hostileContent))-1, now)
	require.ErrorIs(t, err, errors.ErrUnsupported, "it is longer")
	_, _, err = fsys.ReadVersion("f", int64(len(hostileContent)), now.Add(time.Second))
	require.ErrorIs(t, err, errors.ErrUnsupported, "it is another version")
}

// A failure that may pass is no reason not to try again.
func TestStageAfterAFailure(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]byte{"the times": wiretest.Fsetstat, "the end": wiretest.Close} {
		failed := false
		h := &hostile{inOrder: true, answer: func(h *hostile, r wiretest.Request) []byte {
			if r.Kind == kind && !failed {
				failed = true
				h.honest(r) // the handle is closed all the same
				return wiretest.StatusPacket(r.ID, wiretest.Failure)
			}
			return nil
		}}
		fsys := h.start(t, 100_000)
		now := time.Unix(1e9, 0)
		_, _, err := fsys.Stage("n", []byte("text"), 0o644, now, now, "f")
		require.ErrorIs(t, err, errors.ErrUnsupported, name)
		_, _, err = fsys.Stage("n", []byte("text"), 0o644, now, now, "f")
		require.NoError(t, err, name)
	}
}

// A call that has ended with its context leaves what it would have returned alone.
func TestMakeDirThatIsAbandoned(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	h := &hostile{inOrder: true, answer: func(_ *hostile, r wiretest.Request) []byte {
		if r.Kind == wiretest.Mkdir {
			cancel()
		}
		return nil
	}}
	fsys := h.start(t, 100_000)
	if fi, err := fsys.WithContext(ctx).(*Fs).MakeDir("d", 0o755); err != nil { // the answer may have been faster
		require.ErrorIs(t, err, context.Canceled)
		require.Nil(t, fi)
	}
	_, err := fsys.Stat("f") // which is answered later
	require.NoError(t, err)
}

// What was sent to a handle that turned out to be another one counts for nothing, and what is read afterwards is right.
func TestWrongPrediction(t *testing.T) {
	t.Parallel()
	n := uint32(6)
	opened := map[string]string{} // paths
	h := &hostile{inOrder: true, answer: func(_ *hostile, r wiretest.Request) []byte {
		switch r.Kind {
		case wiretest.Open, wiretest.OpenDir:
			n++
			opened[numbered(n)] = r.Text()
			return wiretest.Packet(wiretest.Handle, r.ID, numbered(n))
		case wiretest.Read, wiretest.ReadDir, wiretest.Fstat, wiretest.Close:
			if handle := r; opened[handle.Text()] == "" {
				return wiretest.StatusPacket(r.ID, wiretest.Failure)
			}
		}
		return nil
	}}
	fsys := h.start(t, 100_000)
	for range 2 {
		entries, err := fsys.ReadDir("d")
		require.NoError(t, err)
		require.Len(t, entries, 1)
		require.NoError(t, calls["readversion"](fsys))
		require.NoError(t, calls["read"](fsys))
	}
	m := fsys.conns.(*manager)
	m.mu.Lock()
	defer m.mu.Unlock()
	require.False(t, predicts(m.live()[0]))
}

func numbered(n uint32) string { return string(binary.BigEndian.AppendUint32(nil, n)) }
