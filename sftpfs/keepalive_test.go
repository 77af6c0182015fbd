package sftpfs

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// watched is a session whose connection a test makes speak.
func watched(idle time.Duration, probe func(s *session, c *liveConn)) (*session, *liveConn) {
	s, c := newSession(nil, "host:22"), &liveConn{}
	s.keepAlive(c, idle, func() { probe(s, c) })
	return s, c
}

func TestSilenceEndsSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		probes := 0
		s, _ := watched(30*time.Second, func(s *session, _ *liveConn) {
			probes++
			<-s.lost // no answer
		})
		began := time.Now()
		<-s.lost
		s.wg.Wait()
		require.Equal(t, 30*time.Second, time.Since(began))
		require.Equal(t, 1, probes, "a second one would wait behind the first")
		require.ErrorIs(t, s.unavailable(nil), ErrUnavailable)
		require.ErrorContains(t, s.unavailable(nil), "30s")
	})
}

func TestAnswersKeepSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		probes := 0
		s, _ := watched(30*time.Second, func(_ *session, c *liveConn) {
			probes++
			c.received.Add(1)
		})
		time.Sleep(time.Hour)
		require.False(t, s.isLost())
		s.fail(nil)
		s.wg.Wait()
		require.Equal(t, 180, probes)
	})
}

// While data arrives there is no need to ask, and an answer that is late does not matter.
func TestAnyByteKeepsSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, c := watched(30*time.Second, func(s *session, _ *liveConn) { <-s.lost })
		for range 100 {
			time.Sleep(25 * time.Second)
			c.received.Add(1)
		}
		require.False(t, s.isLost())
		time.Sleep(41 * time.Second)
		require.True(t, s.isLost())
		s.wg.Wait()
	})
}
