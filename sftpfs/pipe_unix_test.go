//go:build unix

package sftpfs_test

import (
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
)

// makePipe makes a named pipe that nobody writes to.
func makePipe(t *testing.T, server *opensshtest.Server) {
	t.Helper()
	pipe := filepath.Join(server.Root, "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	t.Cleanup(func() { // else who has opened it waits for ever, and sshd for him
		fd, err := syscall.Open(pipe, syscall.O_RDWR|syscall.O_NONBLOCK, 0)
		require.NoError(t, err)
		require.NoError(t, syscall.Close(fd))
	})
}

// A request that blocks the server, as the opening of a named pipe does, fails alone: not the calls that are sent behind it on
// the same channel, nor those on others.
func TestPipeBlocksNobodyElse(t *testing.T) {
	t.Parallel()
	for name, sshd := range map[string][]string{"many channels": nil, "one channel": {"MaxSessions 1"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := opensshtest.Start(t, opensshtest.Options{Config: sshd})
			makePipe(t, server)
			require.NoError(t, os.WriteFile(filepath.Join(server.Root, "f"), []byte("content"), 0o600))
			cfg := openSSHConfig(server)
			cfg.IdleTimeout = 2 * time.Second
			fsys := newFs(t, cfg)
			require.NoError(t, fsys.Connect(t.Context()))
			var wg sync.WaitGroup
			unblocked := make(chan struct{})
			for range 8 {
				f, err := fsys.Open("f")
				require.NoError(t, err)
				_, err = f.Stat() // so that it is known which version is being read
				require.NoError(t, err)
				wg.Go(func() {
					for {
						_, err := fsys.Stat("f")
						assert.NoError(t, err)
						_, err = afero.ReadDir(fsys, "/")
						assert.NoError(t, err)
						b := make([]byte, 7)
						_, err = f.ReadAt(b, 0)
						assert.NoError(t, err)
						assert.Equal(t, "content", string(b))
						select {
						case <-unblocked:
							assert.NoError(t, f.Close())
							return
						default:
						}
					}
				})
			}
			wg.Go(func() {
				defer close(unblocked)
				_, err := fsys.Open("pipe")
				assert.ErrorIs(t, err, sftpfs.ErrUnavailable)
				assert.ErrorContains(t, err, "one channel")
			})
			wg.Wait()
			require.NoError(t, fsys.Mkdir("d", 0o700))
		})
	}
}

// What runs on other channels of the connection goes on: sshd does not answer to the end of a channel as long as the process
// behind it is blocked.
func TestPipeLeavesTheConnection(t *testing.T) {
	t.Parallel()
	server := opensshtest.Start(t, opensshtest.Options{})
	makePipe(t, server)
	cfg := openSSHConfig(server)
	cfg.IdleTimeout = 2 * time.Second
	fsys := newFs(t, cfg)
	_, err := fsys.Stat("/")
	require.NoError(t, err)
	opened := make(chan error)
	go func() {
		_, err := fsys.Open("pipe")
		opened <- err
	}()
	require.Eventually(t, func() bool { return fsys.Awaited() > 0 }, soon, time.Millisecond)
	_, err = fsys.Stat("/") // waits until the channel is passed over
	require.NoError(t, err)
	f, err := fsys.Create("f") // on another one
	require.NoError(t, err)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-opened:
			require.ErrorIs(t, err, sftpfs.ErrUnavailable)
			require.ErrorContains(t, err, "one channel")
			require.NoError(t, f.Close())
			return
		case <-tick.C:
			_, err := f.WriteString("x")
			require.NoError(t, err)
		}
	}
}

// Other calls about the same name are no more to blame than those about others.
func TestPipeThatOthersLookAt(t *testing.T) {
	t.Parallel()
	server := opensshtest.Start(t, opensshtest.Options{})
	makePipe(t, server)
	cfg := openSSHConfig(server)
	cfg.IdleTimeout = 2 * time.Second
	cfg.MaxChannels = 4
	fsys := newFs(t, cfg)
	_, err := fsys.Stat("/")
	require.NoError(t, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := fsys.Open("pipe")
		assert.ErrorIs(t, err, sftpfs.ErrUnavailable)
	})
	require.Eventually(t, func() bool { return fsys.Awaited() > 0 }, soon, time.Millisecond)
	for range 16 {
		wg.Go(func() {
			_, err := fsys.Stat("pipe")
			assert.NoError(t, err)
		})
	}
	wg.Wait()
}
