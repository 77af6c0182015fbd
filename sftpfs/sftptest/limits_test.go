package sftptest_test

import (
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wiretest"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

func TestFewFiles(t *testing.T) {
	t.Parallel()
	for n, character := range map[int]sftptest.Character{1: sftptest.OneFile(), 3: sftptest.FewFiles(3)} {
		server := sftptest.Start(t, character)
		conn := dial(t, server)
		one, two := channel(t, conn), channel(t, conn)
		other := channel(t, dial(t, server))
		var open []*sftp.File
		for range n {
			f, err := one.Create("/f")
			require.NoError(t, err)
			open = append(open, f)
		}
		require.EqualValues(t, 4, code(second(one.Open("/f"))))
		require.EqualValues(t, 4, code(second(two.Open("/f"))), "the channels of a connection share the limit")
		require.EqualValues(t, 4, code(second(two.ReadDir("/"))))
		f, err := other.Open("/f")
		require.NoError(t, err, "connections have their own")
		require.NoError(t, f.Close())

		require.NoError(t, open[0].Close())
		require.EqualValues(t, 2, code(second(two.Open("/missing"))))
		require.NoError(t, second(two.ReadDir("/")))
		require.NoError(t, second(two.Open("/f")), "what failed and what was closed does not count")
		require.NoError(t, two.Close())
		require.Eventually(t, func() bool { return second(one.Open("/f")) == nil }, soon, time.Millisecond,
			"what a channel that has ended had open does not count")
	}
}

func TestMaxChannels(t *testing.T) {
	t.Parallel()
	conn := dial(t, sftptest.Start(t, func(o *sftptest.Options) { o.MaxChannels = 2 }))
	one, two := channel(t, conn), channel(t, conn)
	_, err := conn.NewSession()
	var refused *ssh.OpenChannelError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, ssh.ConnectionFailed, refused.Reason)
	require.NoError(t, second(one.Stat("/")))
	require.NoError(t, two.Close())
	require.Eventually(t, func() bool {
		c, err := sftp.NewClient(conn)
		return err == nil && c.Close() == nil
	}, soon, time.Millisecond)
}

func TestOneChannel(t *testing.T) {
	t.Parallel()
	server := sftptest.Start(t, sftptest.OneChannel())
	conn := dial(t, server)
	c := channel(t, conn)
	require.NoError(t, second(c.Stat("/")))
	require.Error(t, second(conn.NewSession()))
	require.Error(t, conn.Wait())
	require.NoError(t, second(channel(t, dial(t, server)).Stat("/")))
}

func TestMaxLogins(t *testing.T) {
	t.Parallel()
	server := sftptest.Start(t, func(o *sftptest.Options) { o.MaxLogins = 1 })
	first := dial(t, server)
	c := channel(t, first)
	require.Error(t, dial(t, server).Wait())
	require.NoError(t, second(c.Stat("/")))
	first.Close()
	for began := time.Now(); ; { // until the server has noticed
		_, err := sftp.NewClient(dial(t, server))
		if err == nil {
			break
		}
		require.Less(t, time.Since(began), soon)
	}
}

// The server counts what it has received and not answered, also while it is busy.
func TestMaxRequests(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := sftptest.Start(t, func(o *sftptest.Options) { o.MaxRequests = 3 },
		on(sftptest.Stat, func(r *sftptest.Request) sftptest.Answer {
			r.Wait(release)
			return r.Next()
		}))
	conn := dial(t, server)
	c := raw(t, conn)
	c.send(rawStat(1, "/"), rawStat(2, "/"), rawStat(3, "/"))
	other := channel(t, conn)
	require.NoError(t, other.Mkdir("/d"), "channels count by themselves")
	release <- struct{}{}
	c.receive()
	c.send(rawStat(4, "/"))
	require.NoError(t, other.Mkdir("/e"))
	c.send(rawStat(5, "/"))
	require.Error(t, conn.Wait())
}

func TestFewRequests(t *testing.T) {
	t.Parallel()
	server := sftptest.Start(t, sftptest.FewRequests(8))
	conn := dial(t, server)
	c := raw(t, conn)
	for id := range uint32(20) {
		c.send(rawStat(id, "/"))
		c.receive()
	}
	var many [][]byte
	for id := range uint32(100) {
		many = append(many, rawStat(id, "/"))
	}
	c.send(many...)
	require.Error(t, conn.Wait())
}

func TestMaxPacket(t *testing.T) {
	t.Parallel()
	const most, data = 34000, 34000 - 1024
	conn := dial(t, sftptest.Start(t, func(o *sftptest.Options) { o.MaxPacket = most }))
	other := channel(t, conn)
	c, err := sftp.NewClient(conn, sftp.MaxPacketUnchecked(most))
	require.NoError(t, err)
	defer c.Close()
	f, err := c.Create("/f")
	require.NoError(t, err)
	require.NoError(t, second(f.WriteAt(make([]byte, data), 0)))
	require.NoError(t, second(f.WriteAt(make([]byte, 10), data)))

	rc := raw(t, conn)
	rc.send(wiretest.Packet(wiretest.Open, 1, "/f", uint32(sftptest.FlagRead), uint32(0)))
	r := rc.receive()
	require.EqualValues(t, wiretest.Handle, r.Kind)
	rc.send(wiretest.Packet(wiretest.Read, 2, r.Text(), uint64(0), uint32(1<<20)))
	r = rc.receive()
	require.EqualValues(t, wiretest.Data, r.Kind)
	require.Len(t, r.Text(), data)

	require.Error(t, second(f.WriteAt(make([]byte, most), 0)))
	require.NoError(t, second(other.Stat("/")), "only the channel has ended")
}

// What the server cannot decode ends the channel.
func TestMalformedPackets(t *testing.T) {
	t.Parallel()
	conn := dial(t, sftptest.Start(t))
	other := channel(t, conn)
	for name, packet := range map[string][]byte{
		"empty":         {0, 0, 0, 0},
		"no path":       wiretest.Packet(wiretest.Stat, 1),
		"a long string": wiretest.Packet(wiretest.Stat, 1, []byte{0xff, 0xff, 0xff, 0xff}),
		"attributes":    wiretest.Packet(wiretest.Mkdir, 1, "/d", uint32(4)),
	} {
		c := raw(t, conn)
		c.send(packet)
		c.requireEnd()
		require.NoError(t, second(other.Stat("/")), name)
	}
	c := raw(t, conn)
	c.send(wiretest.Packet(99, 7), wiretest.Packet(wiretest.Read, 8, "no such handle", uint64(0), uint32(1)),
		wiretest.Packet(wiretest.Stat, 9, "/a\x00b"))
	c.requireStatus(7, 8)
	c.requireStatus(8, 4)
	c.requireStatus(9, 5)
}

func TestLatencyAndBandwidth(t *testing.T) {
	t.Parallel()
	const latency = 20 * time.Millisecond
	server := sftptest.Start(t, func(o *sftptest.Options) { o.Latency, o.Bandwidth = latency, 1<<20 })
	addr := server.Addr()
	conn := dial(t, server)
	c := channel(t, conn)
	began := time.Now()
	require.NoError(t, c.Mkdir("/d"))
	require.GreaterOrEqual(t, time.Since(began), latency)

	f, err := c.Create("/f")
	require.NoError(t, err)
	began = time.Now()
	require.NoError(t, second(f.Write(make([]byte, 256<<10))))
	require.GreaterOrEqual(t, time.Since(began), 250*time.Millisecond)

	server.Disconnect()
	_ = conn.Wait()
	require.NoError(t, server.Stop())
	require.NoError(t, server.Start())
	require.Equal(t, addr, server.Addr())
	require.NoError(t, second(channel(t, dial(t, server)).Stat("/f")))
}

func TestVersion(t *testing.T) {
	t.Parallel()
	const version = "SSH-2.0-Other_1.0"
	conn := dial(t, sftptest.Start(t, func(o *sftptest.Options) { o.Version = version }))
	require.Equal(t, version, string(conn.ServerVersion()))
}

// What the server announces does not change what it executes.
func TestExtensions(t *testing.T) {
	t.Parallel()
	extensions := func(characters ...sftptest.Character) *sftp.Client {
		return channel(t, dial(t, sftptest.Start(t, characters...)))
	}
	for _, c := range []struct {
		client                *sftp.Client
		posixRename, ofOurOwn bool
	}{
		{extensions(), true, false},
		{extensions(sftptest.Announce("x@example.com", "2")), true, true},
		{extensions(func(o *sftptest.Options) { o.Extensions = map[string]string{"x@example.com": "2"} }), false, true},
		{extensions(func(o *sftptest.Options) { o.Extensions = map[string]string{} }), false, false},
	} {
		_, ok := c.client.HasExtension(string(sftptest.PosixRename))
		require.Equal(t, c.posixRename, ok)
		version, ok := c.client.HasExtension("x@example.com")
		require.Equal(t, c.ofOurOwn, ok)
		if ok {
			require.Equal(t, "2", version)
		}
		require.NoError(t, c.client.Mkdir("/d"))
		require.NoError(t, c.client.PosixRename("/d", "/e"))
	}
}

// refusing is an Fs with an error of its own.
type refusing struct {
	afero.Fs
	err error
}

func (f refusing) Mkdir(name string, _ fs.FileMode) error {
	return &fs.PathError{Op: "mkdir", Path: name, Err: f.err}
}

func TestFsDecidesStatus(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want sftptest.Status
	}{
		{sftptest.StatusNoSpaceOnFilesystem, sftptest.StatusNoSpaceOnFilesystem},
		{os.ErrPermission, sftptest.StatusPermissionDenied},
		{errors.New("something"), sftptest.StatusFailure},
	} {
		client := channel(t, dial(t, sftptest.Start(t, serving(refusing{afero.NewMemMapFs(), c.err}))))
		require.EqualValues(t, c.want, code(client.Mkdir("/d")))
	}
}
