package sftptest_test

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wiretest"
)

// A rawChannel is a channel on which the test writes and reads the packets.
type rawChannel struct {
	t  testing.TB
	in io.Writer
	io.Reader
}

func raw(t testing.TB, conn *ssh.Client) *rawChannel {
	t.Helper()
	session, err := conn.NewSession()
	require.NoError(t, err)
	in, err := session.StdinPipe()
	require.NoError(t, err)
	out, err := session.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, session.RequestSubsystem("sftp"))
	c := &rawChannel{t, in, out}
	c.send(wiretest.Packet(wiretest.Init, 3))
	require.EqualValues(t, wiretest.Version, c.receive().Kind)
	return c
}

// send sends packets in one piece.
func (c *rawChannel) send(packets ...[]byte) {
	c.t.Helper()
	var all []byte
	for _, p := range packets {
		all = append(all, p...)
	}
	_, err := c.in.Write(all)
	require.NoError(c.t, err)
}

// receive returns the next reply.
func (c *rawChannel) receive() wiretest.Request {
	c.t.Helper()
	r, err := wiretest.ReadRequest(c)
	require.NoError(c.t, err)
	return r
}

// requireStatus wants a status in reply to the request id.
func (c *rawChannel) requireStatus(id, code uint32) {
	c.t.Helper()
	r := c.receive()
	require.EqualValues(c.t, wiretest.Status, r.Kind)
	require.Equal(c.t, id, r.ID)
	require.Equal(c.t, code, r.Uint32())
}

// requireEnd wants nothing more to come.
func (c *rawChannel) requireEnd() {
	c.t.Helper()
	rest, _ := io.ReadAll(c)
	require.Empty(c.t, rest)
}

// Requests of which package wiretest has no constructor.
func rawStat(id uint32, path string) []byte { return wiretest.Packet(wiretest.Stat, id, path) }
func rawMkdir(id uint32, path string) []byte {
	return wiretest.Packet(wiretest.Mkdir, id, path, uint32(0))
}
