package cachefs

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// requireRange gets a part of a file by http.
func requireRange(t *testing.T, fsys afero.Fs, name, spec, want string) {
	t.Helper()
	server := httptest.NewServer(http.FileServer(afero.NewHttpFs(fsys)))
	defer server.Close()
	request, err := http.NewRequest("GET", server.URL+"/"+name, nil)
	require.NoError(t, err)
	request.Header.Set("Range", "bytes="+spec)
	response, err := server.Client().Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusPartialContent, response.StatusCode)
	got, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.True(t, string(got) == want)
}

// A part of a large file costs little more than that part, wherever it is, also with a sniffed type.
func TestRangeOfLargeFile(t *testing.T) {
	t.Parallel()
	content := text(1, 60*mib)
	middle := content[30*mib:][:1000]
	for _, name := range []string{"large", "large.bin"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			w.put(name, content)
			requireRange(t, w.fs, name, "31457280-31458279", middle)
			requireRange(t, w.fs, name, "-1000", content[60*mib-1000:])
			requireRange(t, w.fs, name, "0-999", content[:1000])
			require.NoError(t, w.fs.Close()) // what is fetched after the last close is over
			require.Less(t, w.line.BytesRead(), int64(3*mib))
			w.start()
		})
	}
	t.Run("over SFTP", func(t *testing.T) {
		t.Parallel()
		served := afero.NewMemMapFs()
		require.NoError(t, afero.WriteFile(served, "/large", []byte(content), 0o644))
		server, err := sftptest.New(&sftptest.Options{Fs: served})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, server.Close()) })
		config := server.Config()
		var received atomic.Int64
		config.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, addr)
			return countingConn{conn, &received}, err
		}
		remote, err := sftpfs.New(config)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, remote.Close()) })
		cache, err := New(remote, afero.NewBasePathFs(afero.NewOsFs(), t.TempDir()), nil)
		require.NoError(t, err)
		requireRange(t, cache, "large", "31457280-31458279", middle)
		require.NoError(t, cache.Close())
		require.Less(t, received.Load(), int64(mib))
	})
}

// The rest is fetched after the last close if that at most doubles what was read.
func TestFillAfterCloseByDefault(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		size, read int
		filled     bool
	}{
		"small":          {mib, 0, true},
		"little of much": {4 * mib, 1000, false},
		"most of it":     {4 * mib, 3 * mib, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStreaming(t, Options{}, c.size)
			f, err := s.fs.Open("d/f")
			require.NoError(t, err)
			_, err = io.ReadFull(f, make([]byte, c.read))
			require.NoError(t, err)
			require.NoError(t, f.Close())
			if c.filled {
				require.Eventually(t, func() bool {
					_, err := os.Stat(s.local("d/f"))
					return err == nil
				}, 10*time.Second, time.Millisecond)
				return
			}
			require.NoError(t, s.fs.Close())
			require.Less(t, s.line.BytesRead(), int64(mib))
			s.start()
			s.requireNoLocal("d/f")
		})
	}
}

// countingConn counts what is received.
type countingConn struct {
	net.Conn
	received *atomic.Int64
}

func (c countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.received.Add(int64(n))
	return n, err
}
