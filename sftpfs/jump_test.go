package sftpfs_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/link"
	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// behind returns the Config to reach a server by way of two OpenSSH servers, and those.
func behind(t *testing.T, target sftpfs.Config) (sftpfs.Config, [2]*opensshtest.Server) {
	t.Helper()
	hosts := [2]*opensshtest.Server{
		opensshtest.Start(t, opensshtest.Options{}), opensshtest.Start(t, opensshtest.Options{}),
	}
	target.ProxyJump = []sftpfs.Config{openSSHConfig(hosts[0]), openSSHConfig(hosts[1])}
	return target, hosts
}

func TestProxyJump(t *testing.T) {
	t.Parallel()
	server := newServer(t, nil)
	cfg, hosts := behind(t, server.Config())
	var dialled []string
	cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		dialled = append(dialled, addr)
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	fsys := newFs(t, cfg)
	require.NoError(t, afero.WriteFile(fsys, "f", []byte("content"), 0o600))
	require.Equal(t, []string{hosts[0].Addr}, dialled)

	// Wherever on the way the connection is lost, the next call makes another one.
	for _, lose := range []func(){server.Disconnect, hosts[1].Restart, hosts[0].Restart} {
		lose()
		require.Eventually(t, func() bool { return fsys.Connect(t.Context()) == nil }, soon, time.Millisecond)
		b, err := afero.ReadFile(fsys, "f")
		require.NoError(t, err)
		require.Equal(t, "content", string(b))
	}
	require.Len(t, dialled, 4)
}

// Each host on the way is checked and logged in to by itself.
func TestProxyJumpRefused(t *testing.T) {
	t.Parallel()
	server := newServer(t, &sftptest.Options{User: "me", Password: "s3cret"})
	good, _ := behind(t, server.Config())
	for i := range 3 {
		for name, c := range map[string]struct {
			spoil func(*sftpfs.Config)
			is    error
		}{
			"host key": {func(c *sftpfs.Config) {
				c.HostKeyCallback, c.KnownHosts = nil, []string{knownHostsFile(t)}
			}, sftpfs.ErrHostKey},
			"login": {func(c *sftpfs.Config) { *c = bare(*c) }, sftpfs.ErrAuth},
			"nobody there": {func(c *sftpfs.Config) {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				require.NoError(t, err)
				c.Addr = l.Addr().String()
				require.NoError(t, l.Close())
			}, sftpfs.ErrUnavailable},
		} {
			cfg := good
			cfg.ProxyJump = append([]sftpfs.Config(nil), good.ProxyJump...)
			place := &cfg
			if i < 2 {
				place = &cfg.ProxyJump[i]
			}
			c.spoil(place)
			err := connect(t, cfg)
			require.ErrorIs(t, err, c.is, "%s at %d", name, i)
			require.ErrorContains(t, err, place.Addr, "%s at %d", name, i)
		}
	}

	bad := good
	bad.ProxyJump = []sftpfs.Config{{Addr: "a:b:c"}}
	_, err := sftpfs.New(bad)
	require.ErrorContains(t, err, "a:b:c")
	bad.ProxyJump = []sftpfs.Config{good.ProxyJump[0], {Addr: "b", ProxyJump: good.ProxyJump}}
	_, err = sftpfs.New(bad)
	require.ErrorContains(t, err, "jump host b")
}

// What runs through a host that falls silent is given up in time, and so is connecting anew.
func TestProxyJumpSilent(t *testing.T) {
	t.Parallel()
	cfg, hosts := behind(t, newServer(t, nil).Config())
	l, err := link.New(hosts[0].Addr, link.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	cfg.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, l.Addr())
	}
	cfg.IdleTimeout, cfg.DialTimeout = time.Second, 10*time.Second
	fsys := newFs(t, cfg)
	require.NoError(t, fsys.Mkdir("d", 0o700))
	l.Freeze()
	_, err = fsys.Stat("d")
	require.ErrorIs(t, err, sftpfs.ErrUnavailable)

	l.Thaw()
	require.Eventually(t, func() bool { _, err = fsys.Stat("d"); return err == nil }, soon, time.Millisecond)
}
