package sftpfs_test

import (
	"bytes"
	"io"
	"sync"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

func requestsOf(t *testing.T, fsys *sftpfs.Fs) int {
	t.Helper()
	c, err := fsys.Capabilities(t.Context())
	require.NoError(t, err)
	return c.Requests
}

// A server that ends a connection with many requests in flight gets fewer of them, until it takes them.
func TestFewRequests(t *testing.T) {
	t.Parallel()
	content := random(4 << 20)
	for name, use := range map[string]func(fsys *sftpfs.Fs) error{
		"read": func(fsys *sftpfs.Fs) error {
			got, err := afero.ReadFile(fsys, "f")
			if err == nil && !bytes.Equal(content, got) {
				t.Error("other content")
			}
			return err
		},
		"write": func(fsys *sftpfs.Fs) error {
			f, err := fsys.Create("g")
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = io.Copy(f, bytes.NewReader(content))
			return err
		},
		"calls": func(fsys *sftpfs.Fs) error {
			var all errgroup.Group
			for range 100 {
				all.Go(func() error { _, err := fsys.Stat("f"); return err })
			}
			return all.Wait()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := sftptest.Start(t, sftptest.FewRequests(8))
			put(t, server, "/f", string(content))
			fsys := newFs(t, server.Config())
			failures := 0
			for ; use(fsys) != nil; failures++ {
				require.Less(t, failures, 8)
			}
			found := requestsOf(t, fsys)
			require.GreaterOrEqual(t, found, 4)
			require.LessOrEqual(t, found, 8)
			for range 3 {
				require.NoError(t, use(fsys), "it is known by now")
			}
			require.Equal(t, found, requestsOf(t, fsys))
		})
	}
}

// Connections that are cut under load in between do not slow down what follows.
func TestCutsAreNoLimitOfRequests(t *testing.T) {
	t.Parallel()
	server := newServer(t, nil)
	content := random(4 << 20)
	put(t, server, "/f", string(content))
	fsys := newFs(t, server.Config())
	for range 5 {
		f, err := fsys.Open("f")
		require.NoError(t, err)
		var cut sync.Once
		var got bytes.Buffer
		_, err = io.Copy(writerFunc(func(b []byte) (int, error) {
			cut.Do(server.Disconnect)
			return got.Write(b)
		}), f)
		require.NoError(t, err)
		require.True(t, bytes.Equal(content, got.Bytes()))
		require.NoError(t, f.Close())
	}
	require.Equal(t, wire.MaxRequests, requestsOf(t, fsys))
}
