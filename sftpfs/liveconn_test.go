package sftpfs

import (
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// A connection that the other side has ended takes no more, even if it did not end the way there.
func TestAFailedReadEndsAWrite(t *testing.T) {
	t.Parallel()
	ours, theirs := net.Pipe()
	defer theirs.Close()
	live := &liveConn{Conn: halfClosed{ours}}
	hanging := make(chan error)
	go func() {
		_, err := live.Write([]byte("nobody reads this"))
		hanging <- err
	}()
	_, err := live.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	require.Error(t, <-hanging)
}

// A halfClosed is a connection on which nothing comes any more.
type halfClosed struct{ net.Conn }

func (halfClosed) Read([]byte) (int, error) { return 0, io.EOF }
