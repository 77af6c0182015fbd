package sftpfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"unicode"

	"github.com/pkg/sftp"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
)

func TestReduce(t *testing.T) {
	t.Parallel()
	status := func(code uint32) error { return &sftp.StatusError{Code: code} }
	for _, c := range []struct {
		err  error
		want error // errors.Is finds it
	}{
		{fs.ErrNotExist, fs.ErrNotExist},
		{&fs.PathError{Err: fs.ErrPermission}, fs.ErrPermission},
		{fs.ErrClosed, fs.ErrClosed},
		{status(4), syscall.EIO},
		{status(5), syscall.EIO},
		{status(8), errors.ErrUnsupported},
		{status(11), fs.ErrExist},
		{status(18), syscall.ENOTEMPTY},
		{status(20), fs.ErrInvalid},
		{status(99), syscall.EIO},
		{status(6), ErrUnavailable},
		{status(7), ErrUnavailable},
		{sftp.ErrSSHFxConnectionLost, ErrUnavailable},
		{fmt.Errorf("failed to send packet: %w", io.EOF), ErrUnavailable},
		{io.ErrUnexpectedEOF, ErrUnavailable},
	} {
		s := newSession(nil, newConnection("host:22"), newLearnt())
		got := s.reduce(c.err)
		require.ErrorIs(t, got, c.want, "%v", c.err)
		lost := c.want == ErrUnavailable
		require.Equal(t, lost, s.isLost(), "%v", c.err)
		require.Equal(t, lost, errors.Is(got, ErrUnavailable), "%v", c.err)
		if lost {
			require.ErrorContains(t, got, "host:22")
		}
	}
	s := newSession(nil, newConnection("host:22"), newLearnt())
	require.NoError(t, s.reduce(nil))
	require.Equal(t, io.EOF, s.reduce(io.EOF))
	require.False(t, s.isLost())
}

// The cause of a lost connection must never make it look like an answer.
func TestUnavailableIsNoAnswer(t *testing.T) {
	t.Parallel()
	s := newSession(nil, newConnection("host:22"), newLearnt())
	s.fail(fs.ErrNotExist)
	err := s.unavailable(nil)
	require.ErrorIs(t, err, ErrUnavailable)
	require.NotErrorIs(t, err, fs.ErrNotExist)
}

// The reason for which there is no connection may be the server's words.
func TestHostileReasons(t *testing.T) {
	t.Parallel()
	hostile := errors.New("ssh: rejected: \x1b[2J evil\nline \u202e" + strings.Repeat("long ", 40_000))
	for name, err := range map[string]error{
		"session": newSession(nil, newConnection("host:22"), newLearnt()).unavailable(hostile),
		"connect": new(dialer).unreachable(t.Context(), hostile),
		"login":   (&login{accepted: true, config: new(ssh.ClientConfig)}).explain(hostile),
	} {
		require.ErrorContains(t, err, "ssh: rejected: [2J evil line long", name)
		require.Less(t, len(err.Error()), maxCause+100, name)
		for _, r := range err.Error() {
			require.True(t, unicode.IsPrint(r), "%s: %q", name, r)
		}
	}
}
