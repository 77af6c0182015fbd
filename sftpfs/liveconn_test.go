package sftpfs

import (
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// Nothing is written after a read has failed, and a write that hangs does not keep the reader from being told.
func TestNothingIsWrittenAfterAReadHasFailed(t *testing.T) {
	t.Parallel()
	ours, theirs := net.Pipe()
	live := &liveConn{Conn: ours}
	hanging := make(chan error)
	go func() {
		_, err := live.Write([]byte("nobody reads this"))
		hanging <- err
	}()
	require.NoError(t, theirs.Close())
	_, err := live.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	require.Error(t, <-hanging)
	_, err = live.Write([]byte("nor this"))
	require.ErrorIs(t, err, io.EOF)
}

func TestCloseEndsAWrite(t *testing.T) {
	t.Parallel()
	ours, theirs := net.Pipe()
	defer theirs.Close()
	live := &liveConn{Conn: ours}
	hanging := make(chan error)
	go func() {
		_, err := live.Write([]byte("nobody reads this"))
		hanging <- err
	}()
	require.NoError(t, live.Close())
	require.Error(t, <-hanging)
}
