package sftpfs

import (
	"encoding/binary"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wiretest"
)

// calls before the server has said what it offers
var earlyCalls = map[string]func(*Fs) error{
	"stat":  func(f *Fs) error { _, err := f.Stat("/d"); return err },
	"mkdir": func(f *Fs) error { return f.Mkdir("/newd", 0o777) },
}

// The first call goes out before the server has said what it offers, in the seventh round trip, behind the
// versions, the keys, the service, "none", the channel, and the subsystem.
func TestFirstCallIsEarly(t *testing.T) {
	t.Parallel()
	for name, call := range earlyCalls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &starter{roundTrip: time.Second}
				f := s.connected(t, 0)
				began := time.Now()
				require.NoError(t, call(f))
				require.Equal(t, 7*s.roundTrip, time.Since(began))
			})
		})
	}
}

// A program that is no SFTP server is found out about, by the first call as by Connect, and not asked for again and again.
func TestNoGreeting(t *testing.T) {
	t.Parallel()
	says := func(text string) func(io.ReadWriteCloser) {
		return func(c io.ReadWriteCloser) {
			_, _ = io.WriteString(c, text)
			_, _ = io.Copy(io.Discard, c)
		}
	}
	version := func(v uint32) string {
		return string(binary.BigEndian.AppendUint32([]byte{0, 0, 0, 5, wiretest.Version}, v))
	}
	for name, c := range map[string]struct {
		sftp func(io.ReadWriteCloser)
		want string
	}{
		"ends":             {func(c io.ReadWriteCloser) { c.Close() }, "starting SFTP: "},
		"another version":  {says(version(2)), "starting SFTP: the server speaks version 2"},
		"another language": {says("Welcome to this host\n"), "starting SFTP: the server sent a malformed packet"},
		"another packet":   {says("\x00\x00\x00\x05\x65\x00\x00\x00\x4d"), "starting SFTP: the server answers what it was not asked"},
		"nothing":          {says(""), "SFTP did not start in time"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &starter{sftp: c.sftp}
				f := s.connected(t, time.Second)
				for name, call := range earlyCalls {
					before := s.dials
					err := call(f)
					require.ErrorIs(t, err, ErrUnavailable, name)
					require.ErrorContains(t, err, c.want, name)
					for range 100 {
						synctest.Wait()
						require.ErrorIs(t, f.Connect(t.Context()), ErrUnavailable)
					}
					require.Equal(t, before+1, s.dials, "the failure answers for a while")
					time.Sleep(2 * lastPause)
				}
			})
		})
	}
}

// How long the server takes to start its program is a matter of DialTimeout, not of IdleTimeout.
func TestGreetingTakesItsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &starter{sftp: func(c io.ReadWriteCloser) {
			time.Sleep(DefaultDialTimeout - time.Second)
			(&hostile{inOrder: true}).serve(c)
		}}
		f := s.connected(t, 0)
		f.conns.(*manager).opener.(*dialer).cfg.IdleTimeout = time.Second
		require.NoError(t, earlyCalls["mkdir"](f))
		require.Equal(t, 1, s.dials)
	})
}

// What OpenSSH says after the login is acknowledged at once, for it may keep back what was asked for until then. That is over
// when there is a channel.
func TestAcknowledgesWhatComesBeforeTheFirstChannel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &starter{roundTrip: time.Second, stalls: true}
		f := s.connected(t, 0)
		require.NoError(t, f.Connect(t.Context()))
		m := f.conns.(*manager)
		require.Nil(t, m.connections[0].conn.onRead.Load())
	})
}
