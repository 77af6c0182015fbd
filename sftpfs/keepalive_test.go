package sftpfs

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wiretest"
)

// watched is a connection, with a session on it, whose other side is the test.
type watched struct {
	*connection
	session  *session
	server   net.Conn      // on the session
	ended    chan struct{} // closed when the session's channel is
	live     *liveConn
	probe    func()
	ask      func()
	probes   int
	asked    int
	lookedAt int
}

func watch(idle time.Duration, w *watched) *watched {
	w.connection, w.live = newConnection("host:22"), new(liveConn)
	w.session = newSession(nil, w.connection, newLearnt())
	w.open()
	w.add(w.session)
	w.wg.Go(func() {
		w.keepAlive(idle, pulse{
			received: w.live.received.Load,
			probe:    func() { w.probes++; w.probe() },
			ask:      func(*session) { w.asked++; w.ask() },
			look:     func() { w.lookedAt++ },
		})
	})
	return w
}

// open gives the session a channel on which the server has begun with a long answer.
func (w *watched) open() {
	ours, theirs := net.Pipe()
	w.session.wire, w.server, w.ended = wire.New(ours, wire.MaxListing), theirs, make(chan struct{})
	w.wg.Go(func() {
		defer close(w.ended)
		_, _ = io.Copy(io.Discard, theirs)
	})
	w.wg.Go(func() { _, _ = io.Copy(io.Discard, w.session.wire) })
	w.wg.Go(func() {
		<-w.lost
		theirs.Close()
	})
	_, _ = w.session.wire.Write(wiretest.Packet(wiretest.Fstat, 1, "h"))
	_, _ = theirs.Write(wiretest.VersionPacket())
	_, _ = theirs.Write(wiretest.Packet(wiretest.Attrs, 1, make([]byte, wire.MaxPacket-5))[:wiretest.HeaderSize])
	synctest.Wait()
}

// hear lets a byte arrive, on the session too if that is so.
func (w *watched) hear(onSession bool) {
	w.live.received.Add(1)
	if onSession {
		_, _ = w.server.Write([]byte{0})
	}
}

func (w *watched) unanswered() { <-w.lost }

func TestSilenceEndsConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &watched{}
		w.probe, w.ask = w.unanswered, w.unanswered
		watch(40*time.Second, w)
		time.Sleep(time.Nanosecond)
		w.hear(true)
		began := time.Now()
		<-w.lost
		w.wg.Wait()
		require.LessOrEqual(t, time.Since(began), 40*time.Second)
		require.Greater(t, time.Since(began), 30*time.Second)
		require.Equal(t, 1, w.probes, "a second one would wait behind the first")
		require.Equal(t, 1, w.asked)
		require.True(t, w.session.isLost())
		require.ErrorIs(t, w.session.unavailable(nil), ErrUnavailable)
		require.ErrorContains(t, w.session.unavailable(nil), "40s")
	})
}

func TestAnswersKeepConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &watched{}
		w.probe = func() { time.Sleep(time.Second); w.hear(false) }
		w.ask = func() { time.Sleep(time.Second); w.hear(true) }
		watch(40*time.Second, w)
		time.Sleep(time.Hour)
		require.False(t, w.isLost())
		require.Equal(t, time.Second, time.Duration(w.roundTrip.Load()))
		w.fail(nil)
		w.wg.Wait()
		require.InDelta(t, 180, w.asked, 2, "every other look finds the session silent")
		require.InDelta(t, 180, w.probes, 2)
		require.Equal(t, 360, w.lookedAt)
	})
}

// While data arrives there is no need to ask, and an answer that is late does not matter.
func TestAnyByteKeepsConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &watched{}
		w.probe, w.ask = w.unanswered, w.unanswered
		watch(40*time.Second, w)
		for range 100 {
			time.Sleep(25 * time.Second)
			w.hear(true)
		}
		require.False(t, w.isLost())
		time.Sleep(41 * time.Second)
		require.True(t, w.isLost())
		w.wg.Wait()
	})
}

// A session is stuck when the connection answers what was sent later. It is passed over before it is given up; with it the
// connection ends only where calls go on waiting for the channel.
func TestStuckSession(t *testing.T) {
	t.Parallel()
	for _, letsGo := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			w := &watched{}
			w.probe = func() { time.Sleep(time.Millisecond); w.hear(false) }
			w.ask = func() { <-w.ended }
			watch(40*time.Second, w)
			time.Sleep(time.Nanosecond)
			w.hear(true)
			began := time.Now()
			<-w.session.stalled.Load().Done()
			require.LessOrEqual(t, time.Since(began), 30*time.Second)
			require.False(t, w.session.isLost())
			<-w.session.lost
			require.LessOrEqual(t, time.Since(began), 40*time.Second)
			require.ErrorContains(t, w.session.unavailable(nil), "one channel")
			if letsGo {
				close(w.session.ended)
				time.Sleep(time.Hour)
				require.False(t, w.isLost())
				w.fail(nil)
			} else {
				<-w.lost
				require.LessOrEqual(t, time.Since(began), 50*time.Second)
			}
			w.wg.Wait()
		})
	}
}

// On a slow line what one session waits for may be under way for long, behind what others have sent.
func TestSlowSessionIsNotStuck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &watched{}
		w.probe = w.unanswered // it stands behind the rest
		w.ask = w.unanswered
		watch(40*time.Second, w)
		for range 100 {
			time.Sleep(5 * time.Second)
			w.hear(false) // of others
		}
		require.False(t, w.isLost())
		w.fail(nil)
		w.wg.Wait()
	})
}
