package sftpfs

import (
	"context"
	"io"
	"io/fs"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wiretest"
)

// mute has a server not answer requests of this kind.
func mute(kind byte) func(*hostile, wiretest.Request) []byte {
	return func(_ *hostile, r wiretest.Request) []byte { return only(kind, r, []byte{}) }
}

// A request that is never answered ends its call, however much else is answered. What the call changes is in doubt.
func TestHungRequest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		call    string
		kind    byte
		inDoubt bool
	}{
		"rename":          {"rename", wiretest.Rename, true},
		"mkdir":           {"mkdir", wiretest.Mkdir, true},
		"opening":         {"write", wiretest.Open, true},
		"closing":         {"write", wiretest.Close, false},
		"writing":         {"upload", wiretest.Write, false},
		"staging":         {"stage", wiretest.Write, true},
		"stat":            {"stat", wiretest.Stat, false},
		"listing":         {"list", wiretest.ReadDir, false},
		"copying":         {"copy", wiretest.Read, false},
		"reading":         {"readat", wiretest.Read, false},
		"reading a whole": {"readversion", wiretest.Read, false},
	} {
		for _, inOrder := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				h := &hostile{answer: mute(c.kind), inOrder: inOrder, timeout: time.Hour}
				fsys := h.start(t, 0)
				stop := make(chan struct{})
				defer close(stop)
				go func() { // others are answered
					for tick := time.NewTicker(time.Minute); ; {
						select {
						case <-tick.C:
							_ = fsys.Chmod("f", 0o600)
						case <-stop:
							return
						}
					}
				}()
				began := time.Now()
				err := calls[c.call](fsys)
				if short := c.call == "stage" || c.call == "readversion"; short && !inOrder {
					require.NoError(t, err) // there is no other way
					return
				}
				require.ErrorIs(t, err, ErrUnavailable, name)
				require.NotErrorIs(t, err, fs.ErrNotExist, name)
				require.ErrorContains(t, err, "no answer to a request for 1h0m0s", name)
				took := time.Since(began)
				require.Greater(t, took, time.Hour, name)
				if c.inDoubt {
					require.ErrorContains(t, err, "the outcome is unknown", name)
					require.LessOrEqual(t, took, 75*time.Minute, name)
				}
				require.LessOrEqual(t, took, 150*time.Minute, "%s: sent again once at most", name)
			})
		}
	}
}

// The calls that follow are not put behind a request that was given up.
func TestHungRequestEndsItsChannel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &hostile{answer: mute(wiretest.Mkdir), timeout: time.Hour}
		fsys := h.start(t, 0)
		s, err := fsys.conns.get(context.Background())
		require.NoError(t, err)
		s.release()
		require.ErrorIs(t, fsys.Mkdir("n", 0o700), ErrUnavailable)
		require.True(t, s.isLost())
		_, err = fsys.Stat("f")
		require.NoError(t, err)
	})
}

// A transfer goes on of which a part is answered now and then, although most of its requests wait for longer. It ends when
// one is passed over.
func TestSlowTransferIsNotHung(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConnection("host:22")
		s := newSession(nil, c, newLearnt())
		ours, theirs := net.Pipe()
		s.wire = wire.New(ours, wire.MaxListing)
		go func() { _, _ = io.Copy(io.Discard, theirs) }()
		c.run(func() { _, _ = io.Copy(io.Discard, s.wire) })
		c.add(s)
		for id := range uint32(100) {
			_, err := s.wire.Write(wiretest.Packet(wiretest.Write, id, "h", uint64(id), "x"))
			require.NoError(t, err)
		}
		answer := func(id uint32) {
			_, err := theirs.Write(wiretest.StatusPacket(id, wiretest.OK))
			require.NoError(t, err)
			synctest.Wait()
		}
		c.run(func() { c.enforceRequestTimeout(time.Hour) })
		for id := range uint32(50) {
			time.Sleep(59 * time.Minute)
			answer(id)
		}
		require.False(t, s.isLost())
		began := time.Now()
		for id := uint32(51); !s.isLost(); id++ {
			time.Sleep(7 * time.Minute)
			if !s.isLost() {
				answer(id)
			}
		}
		c.fail(nil)
		c.end()
		require.InDelta(t, 68*time.Minute, time.Since(began), float64(15*time.Minute))
	})
}

// Nothing ends while nothing is awaited.
func TestIdleIsNotHung(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConnection("host:22")
		s := newSession(nil, c, newLearnt())
		s.wire = initializedWire()
		c.add(s)
		c.run(func() { c.enforceRequestTimeout(time.Hour) })
		time.Sleep(1000 * time.Hour)
		require.False(t, c.isLost())
		c.fail(fs.ErrClosed)
		c.end()
	})
}
