package sftpfs_test

import (
	"context"
	"io/fs"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// soon bounds what should take no time, generously: this is no measurement.
const soon = 2 * time.Minute

func TestRefusedPort(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	cfg := sftpfs.Config{Addr: l.Addr().String(), KeyFiles: []string{}, HostKeyCallback: ssh.InsecureIgnoreHostKey()}
	l.Close()
	fsys := newFs(t, cfg)
	_, err = fsys.Open("x")
	require.ErrorIs(t, err, sftpfs.ErrUnavailable)
	require.NotErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, cfg.Addr)
	var pathErr *fs.PathError
	require.ErrorAs(t, err, &pathErr)
	require.Equal(t, "open", pathErr.Op)
	require.Equal(t, "x", pathErr.Path)
}

// A host that takes the connection and says nothing.
func TestSilentHost(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	cfg := sftpfs.Config{
		Addr: l.Addr().String(), KeyFiles: []string{}, HostKeyCallback: ssh.InsecureIgnoreHostKey(),
		DialTimeout: 50 * time.Millisecond,
	}
	began := time.Now()
	err = connect(t, cfg)
	require.ErrorIs(t, err, sftpfs.ErrUnavailable)
	require.NotErrorIs(t, err, context.DeadlineExceeded, "it is not the caller's deadline")
	require.ErrorContains(t, err, "50ms")
	require.GreaterOrEqual(t, time.Since(began), cfg.DialTimeout)
	require.Less(t, time.Since(began), soon)
}

// The same at every later stage of connecting: the server falls silent once it has read n bytes.
func TestSilenceWhileConnecting(t *testing.T) {
	t.Parallel()
	server := newServer(t, nil)
	for _, n := range []int{1, 40, 1000, 2000, 2700} {
		cfg := server.Config()
		cfg.DialTimeout = 100 * time.Millisecond
		cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, network, addr)
			return &quietAfter{Conn: c, left: n}, err
		}
		require.ErrorIs(t, connect(t, cfg), sftpfs.ErrUnavailable, "%d bytes", n)
	}
}

// quietAfter is a connection that takes left bytes and loses the rest.
type quietAfter struct {
	net.Conn
	left int
}

func (c *quietAfter) Write(b []byte) (int, error) {
	if c.left -= len(b); c.left < 0 {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

func TestConnectEndsWithContext(t *testing.T) {
	t.Parallel()
	server := newServer(t, nil)
	server.Freeze()
	fsys := newFs(t, server.Config())
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, fsys.Connect(ctx), context.DeadlineExceeded)
}

func TestLostConnectionIsReplaced(t *testing.T) {
	t.Parallel()
	server := newServer(t, nil)
	fsys := newFs(t, server.Config())
	require.NoError(t, afero.WriteFile(fsys, "f", []byte("content"), 0o666))
	open, err := fsys.OpenFile("f", os.O_RDWR, 0)
	require.NoError(t, err)

	dir, err := fsys.Open("/")
	require.NoError(t, err)

	server.Disconnect()
	names, err := dir.Readdirnames(-1)
	require.NoError(t, err, "a listing takes no handle")
	require.Equal(t, []string{"f"}, names)
	require.NoError(t, dir.Close())
	_, err = open.Write([]byte("x"))
	require.ErrorIs(t, err, sftpfs.ErrUnavailable, "a file belongs to its connection")
	require.ErrorIs(t, open.Close(), sftpfs.ErrUnavailable)
	require.ErrorIs(t, open.Close(), fs.ErrClosed)

	b, err := afero.ReadFile(fsys, "f")
	require.NoError(t, err)
	require.Equal(t, "content", string(b))
}

func TestServerComesBack(t *testing.T) {
	t.Parallel()
	server := newServer(t, nil)
	fsys := newFs(t, server.Config())
	require.NoError(t, fsys.Mkdir("d", 0o777))
	require.NoError(t, server.Stop())
	_, err := fsys.Stat("d")
	require.ErrorIs(t, err, sftpfs.ErrUnavailable)
	require.NotErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, server.Start())
	require.Eventually(t, func() bool { return fsys.Mkdir("d/e", 0o777) == nil }, soon, time.Millisecond)
	fi, err := fsys.Stat("d/e")
	require.NoError(t, err)
	require.True(t, fi.IsDir())
}

func TestOpenSSHComesBack(t *testing.T) {
	t.Parallel()
	server := opensshtest.Start(t, opensshtest.Options{})
	fsys := newFs(t, openSSHConfig(server))
	require.NoError(t, afero.WriteFile(fsys, "f", []byte("content"), 0o600))
	server.Stop()
	_, err := fsys.Open("f")
	require.ErrorIs(t, err, sftpfs.ErrUnavailable)
	require.ErrorIs(t, fsys.Remove("f"), sftpfs.ErrUnavailable)
	server.Restart()
	require.Eventually(t, func() bool { return fsys.Connect(context.Background()) == nil }, soon, time.Millisecond)
	b, err := afero.ReadFile(fsys, "f")
	require.NoError(t, err)
	require.Equal(t, "content", string(b))
}

// frozen runs call against a server that has fallen silent under it, and returns what became of it.
func frozen(t *testing.T, server *sftptest.Server, call func() error) error {
	t.Helper()
	server.Freeze()
	defer server.Thaw()
	done := make(chan error, 1)
	go func() { done <- call() }()
	select {
	case err := <-done:
		return err
	case <-time.After(soon):
		t.Fatal("still waiting")
		return nil
	}
}

func TestSilentServer(t *testing.T) {
	t.Parallel()
	server := newServer(t, nil)
	cfg := server.Config()
	cfg.IdleTimeout, cfg.DialTimeout = 500*time.Millisecond, 2*time.Second
	fsys := newFs(t, cfg)
	require.NoError(t, afero.WriteFile(fsys, "f", []byte("content"), 0o666))
	f, err := fsys.Open("f")
	require.NoError(t, err)

	err = frozen(t, server, func() error { return fsys.Remove("f") })
	require.ErrorIs(t, err, sftpfs.ErrUnavailable)
	require.ErrorContains(t, err, "outcome is unknown")
	_, err = f.Read(make([]byte, 10))
	require.ErrorIs(t, err, sftpfs.ErrUnavailable)
	require.NoError(t, f.Close(), "nothing was written")

	require.Eventually(t, func() bool { return fsys.Connect(context.Background()) == nil }, soon, time.Millisecond)
	require.NoError(t, fsys.Mkdir("d", 0o777))
}

// countedConn counts what is sent.
type countedConn struct {
	net.Conn
	sent *atomic.Int64
}

func (c countedConn) Write(b []byte) (int, error) {
	c.sent.Add(1)
	return c.Conn.Write(b)
}

func TestContextEndsCalls(t *testing.T) {
	t.Parallel()
	server := newServer(t, nil)
	cfg := server.Config()
	var sent atomic.Int64
	cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, addr)
		return countedConn{c, &sent}, err
	}
	plain := newFs(t, cfg)
	require.NoError(t, afero.WriteFile(plain, "f", make([]byte, 1<<20), 0o666))
	ctx, cancel := context.WithCancel(context.Background())
	fsys := plain.WithContext(ctx)
	f, err := fsys.OpenFile("f", os.O_RDWR, 0)
	require.NoError(t, err)
	d, err := fsys.Open("/")
	require.NoError(t, err)

	server.Freeze()
	calls := map[string]func() error{
		"stat":     func() error { _, err := fsys.Stat("f"); return err },
		"open":     func() error { _, err := fsys.Open("f"); return err },
		"create":   func() error { _, err := fsys.Create("g"); return err },
		"mkdir":    func() error { return fsys.Mkdir("d", 0o777) },
		"rename":   func() error { return fsys.Rename("f", "h") },
		"remove":   func() error { return fsys.RemoveAll("f") },
		"read":     func() error { _, err := f.ReadAt(make([]byte, 1<<20), 0); return err },
		"write":    func() error { _, err := f.WriteAt(make([]byte, 1<<20), 0); return err },
		"truncate": func() error { return f.Truncate(0) },
		"fstat":    func() error { _, err := f.Stat(); return err },
		"readdir":  func() error { _, err := d.Readdir(-1); return err },
	}
	before := sent.Load()
	results := make(chan error, len(calls))
	for _, call := range calls {
		go func() { results <- call() }()
	}
	require.Eventually(t, func() bool { return sent.Load() >= before+int64(len(calls)) }, soon, time.Millisecond)
	cancel()
	for range calls {
		select {
		case err := <-results:
			require.ErrorIs(t, err, context.Canceled)
			require.NotErrorIs(t, err, sftpfs.ErrUnavailable)
		case <-time.After(soon):
			t.Fatal("still waiting")
		}
	}
	require.ErrorIs(t, f.Close(), context.Canceled)
	require.ErrorIs(t, d.Close(), context.Canceled)
	server.Thaw()
	_, err = plain.Stat("/")
	require.NoError(t, err, "the connection stays")
}

func TestCloseEndsEverything(t *testing.T) {
	t.Parallel()
	server := newServer(t, nil)
	fsys := newFs(t, server.Config())
	f, err := fsys.Create("f")
	require.NoError(t, err)
	require.NoError(t, fsys.Close())
	require.NoError(t, fsys.Close())
	_, err = f.Write([]byte("x"))
	require.ErrorIs(t, err, fs.ErrClosed)
	require.NotErrorIs(t, err, sftpfs.ErrUnavailable)
	for _, err := range []error{
		fsys.Mkdir("d", 0o777), fsys.Remove("f"), fsys.Rename("f", "g"), fsys.Connect(context.Background()),
		fsys.WithContext(context.Background()).Mkdir("d", 0o777),
	} {
		require.ErrorIs(t, err, fs.ErrClosed)
	}
}

// Close releases a call that waits for a silent server.
func TestCloseReleases(t *testing.T) {
	t.Parallel()
	server := newServer(t, nil)
	fsys := newFs(t, server.Config())
	require.NoError(t, fsys.Connect(context.Background()))
	err := frozen(t, server, func() error {
		go fsys.Close()
		_, err := fsys.Stat("f")
		return err
	})
	require.ErrorIs(t, err, fs.ErrClosed)
}

// The client stays its owner's.
func TestNewClient(t *testing.T) {
	t.Parallel()
	server := opensshtest.Start(t, opensshtest.Options{})
	client := dialOpenSSH(t, server)
	fsys := sftpfs.NewClient(client, server.Root)
	require.NoError(t, afero.WriteFile(fsys, "f", []byte("content"), 0o600))
	f, err := fsys.Open("f")
	require.NoError(t, err)
	require.NoError(t, fsys.Close())
	_, err = f.Read(make([]byte, 1))
	require.ErrorIs(t, err, fs.ErrClosed)
	_, err = fsys.Stat("f")
	require.ErrorIs(t, err, fs.ErrClosed)
	_, err = client.Stat(server.Root)
	require.NoError(t, err)

	second := sftpfs.NewClient(client, server.Root)
	defer second.Close()
	server.Stop()
	_, err = second.Stat("f")
	require.ErrorIs(t, err, sftpfs.ErrUnavailable)
}

// The root of a Config without one, or with a relative one, is found from the login directory.
func TestRelativeRoot(t *testing.T) {
	t.Parallel()
	server := newServer(t, nil)
	cfg := server.Config()
	require.NoError(t, newFs(t, cfg).MkdirAll("up/load", 0o777))
	cfg.Root = "up/load"
	require.NoError(t, newFs(t, cfg).Mkdir("d", 0o777))
	cfg.Root = ""
	_, err := newFs(t, cfg).Stat("up/load/d")
	require.NoError(t, err)
}
