package sftpfs_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/link"
	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
)

// sftpServer is where Debian and others have OpenSSH's.
const sftpServer = "/usr/lib/openssh/sftp-server"

// far is the server at the end of a link.
func far(t testing.TB, cfg sftpfs.Config, o link.Options) (*link.Link, sftpfs.Config) {
	t.Helper()
	l, err := link.New(cfg.Addr, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	direct := cfg.Addr // which is in known_hosts
	cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if addr != direct {
			return nil, fmt.Errorf("not the server: %s", addr)
		}
		return new(net.Dialer).DialContext(ctx, network, l.Addr())
	}
	return l, cfg
}

// A transfer over a long line takes as many channels as there may be, and what goes over them is the file.
func TestTransferOverSeveralChannels(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options               opensshtest.Options
		maxConnections        int
		channels, connections int
	}{
		"as many as wanted":     {opensshtest.Options{}, 0, 10, 1},
		"three on a connection": {opensshtest.Options{Config: []string{"MaxSessions 3"}}, 0, 6, 2},
		"one on a connection":   {opensshtest.Options{Config: []string{"MaxSessions 1"}}, 0, 2, 2},
		"one":                   {opensshtest.Options{Config: []string{"MaxSessions 1"}}, 1, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := opensshtest.Start(t, c.options)
			_, cfg := far(t, openSSHConfig(server), link.Options{RoundTrip: 25 * time.Millisecond})
			cfg.MaxConnections = c.maxConnections
			fsys := newFs(t, cfg)
			content := random(32 << 20)

			f, err := fsys.Create("f")
			require.NoError(t, err)
			source := bytes.NewReader(content)
			n, err := io.Copy(f, readerFunc(func(b []byte) (int, error) {
				if source.Len() == len(content)/4 { // the rest goes over all of them
					require.Eventually(t, func() bool {
						channels, connections := fsys.Channels()
						return channels == c.channels && connections == c.connections
					}, soon, time.Millisecond)
				}
				return source.Read(b[:min(len(b), 1<<15)])
			}))
			require.NoError(t, err)
			require.EqualValues(t, len(content), n)
			require.NoError(t, f.Close())
			onDisk, err := os.ReadFile(filepath.Join(server.Root, "f"))
			require.NoError(t, err)
			require.True(t, bytes.Equal(content, onDisk))

			f, err = fsys.Open("f")
			require.NoError(t, err)
			var got bytes.Buffer
			_, err = io.Copy(&got, f)
			require.NoError(t, err)
			require.NoError(t, f.Close())
			require.True(t, bytes.Equal(content, got.Bytes()))
		})
	}
}

// Reading on through a file that was made by Create empties nothing.
func TestCopyOfWhatWasCreated(t *testing.T) {
	t.Parallel()
	_, cfg := far(t, newServer(t, nil).Config(), link.Options{RoundTrip: 15 * time.Millisecond})
	fsys := newFs(t, cfg)
	content := random(20 << 20)
	f, err := fsys.Create("f")
	require.NoError(t, err)
	_, err = f.Write(content)
	require.NoError(t, err)
	_, err = f.Seek(0, io.SeekStart)
	require.NoError(t, err)
	var got bytes.Buffer
	_, err = io.Copy(&got, f)
	require.NoError(t, err)
	require.True(t, bytes.Equal(content, got.Bytes()))
	fi, err := f.Stat()
	require.NoError(t, err)
	require.EqualValues(t, len(content), fi.Size())
	require.NoError(t, f.Close())
}

// Whatever else the name leads to meanwhile is not written.
func TestTransferSparesWhatTookTheName(t *testing.T) {
	t.Parallel()
	server := opensshtest.Start(t, opensshtest.Options{})
	_, cfg := far(t, openSSHConfig(server), link.Options{RoundTrip: 15 * time.Millisecond})
	fsys := newFs(t, cfg)
	f, err := fsys.Create("f")
	require.NoError(t, err)
	at := func(name string) string { return filepath.Join(server.Root, name) }
	require.NoError(t, os.Rename(at("f"), at("g")))
	other := random(12 << 20)
	require.NoError(t, os.WriteFile(at("f"), other, 0o644))

	content := bytes.Repeat(random(1<<20), 40)
	_, err = io.Copy(f, struct{ io.Reader }{bytes.NewReader(content)})
	require.NoError(t, err)
	require.NoError(t, f.Close())
	for name, want := range map[string][]byte{"f": other, "g": content} {
		got, err := os.ReadFile(at(name))
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, got), name)
	}
}

// A server that has too many logins under way drops connections at random; that is no failure.
func TestMaxStartups(t *testing.T) {
	t.Parallel()
	server := opensshtest.Start(t, opensshtest.Options{Config: []string{"MaxStartups 1"}})
	crowd, err := net.Dial("tcp", server.Addr)
	require.NoError(t, err)
	defer crowd.Close()
	_, err = crowd.Read(make([]byte, 10)) // it is a login under way
	require.NoError(t, err)

	cfg := openSSHConfig(server)
	var mu sync.Mutex
	dials := 0
	cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		if dials++; dials == 3 {
			crowd.Close()
		}
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	require.NoError(t, newFs(t, cfg).Connect(t.Context()))
	mu.Lock()
	defer mu.Unlock()
	require.GreaterOrEqual(t, dials, 3)
}

// script returns an SFTP server that does something first.
func script(t *testing.T, before string) string {
	t.Helper()
	if _, err := os.Stat(sftpServer); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	file := filepath.Join(t.TempDir(), "server")
	require.NoError(t, os.WriteFile(file, []byte("#!/bin/sh\n"+before+"\nexec "+sftpServer+"\n"), 0o755))
	return file
}

// A channel on which no more files can be opened is none on which others can't be.
func TestLimitOfHandles(t *testing.T) {
	t.Parallel()
	server := opensshtest.Start(t, opensshtest.Options{Subsystem: script(t, "ulimit -n 40")})
	cfg := openSSHConfig(server)
	cfg.MaxChannels = 3
	fsys := newFs(t, cfg)
	require.NoError(t, afero.WriteFile(fsys, "f", []byte("content"), 0o600))
	var open []afero.File
	for {
		f, err := fsys.Open("f")
		if err != nil {
			require.NotErrorIs(t, err, sftpfs.ErrUnavailable)
			break
		}
		open = append(open, f)
	}
	require.Greater(t, len(open), 3*30, "one channel takes at most 37")
	channels, _ := fsys.Channels()
	require.Equal(t, 3, channels)

	require.NoError(t, open[0].Close())
	b, err := afero.ReadFile(fsys, "f")
	require.NoError(t, err, "one is free, wherever that is")
	require.Equal(t, "content", string(b))
	require.NoError(t, open[1].Close())
	entries, err := afero.ReadDir(fsys, "/")
	require.NoError(t, err)
	require.Len(t, entries, 1)
	for _, f := range open[2:] {
		b := make([]byte, 7)
		_, err := io.ReadFull(f, b)
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
}

// One channel of several that never answers is noticed, though the connection is alive.
func TestStuckChannel(t *testing.T) {
	t.Parallel()
	pids := filepath.Join(t.TempDir(), "pids")
	server := opensshtest.Start(t, opensshtest.Options{Subsystem: script(t, "echo $$ >>'"+pids+"'")})
	cfg := openSSHConfig(server)
	cfg.IdleTimeout = 400 * time.Millisecond
	fsys := newFs(t, cfg)
	require.NoError(t, fsys.Connect(t.Context()))
	b, err := os.ReadFile(pids)
	require.NoError(t, err)
	pid := strings.TrimSpace(string(b))
	require.NoError(t, exec.Command("kill", "-STOP", pid).Run())
	began := time.Now()
	err = fsys.Mkdir("d", 0o777)
	require.ErrorIs(t, err, sftpfs.ErrUnavailable)
	require.ErrorContains(t, err, "one channel")
	require.ErrorContains(t, err, "outcome is unknown")
	require.Less(t, time.Since(began), soon)
	require.NoError(t, fsys.MkdirAll("e", 0o777))
	require.NoError(t, exec.Command("kill", "-KILL", pid).Run())
}
