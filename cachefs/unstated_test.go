package cachefs

import (
	"bytes"
	"context"
	"io"
	"os"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/internal/remotetest"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// /proc states size 0 for files that have content.
func TestProcOverOpenSSH(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("/proc/version")
	if err != nil {
		t.Skip("this system has no /proc/version")
	}
	server := opensshtest.Start(t, opensshtest.Options{})
	remote, err := sftpfs.New(sftpfs.Config{Addr: server.Addr, User: server.User, KeyFiles: []string{server.KeyFile},
		KnownHosts: []string{server.KnownHosts}, Root: "/proc"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, remote.Close()) })
	w := &world{TB: t, remote: remote, line: new(faultfs.Plan), dir: t.TempDir(), clock: new(clock)}
	w.fs, err = New(remote, afero.NewBasePathFs(afero.NewOsFs(), w.dir), nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.fs.Close()) })
	for range 2 {
		w.requireRead(string(want), "version")
	}
	w.requireLocal(string(want), "version")
	cpus, err := afero.ReadFile(w.fs, "cpuinfo")
	require.NoError(t, err)
	require.Contains(t, string(cpus), "processor")
}

// unstatedWorlds are remotes that state no sizes.
func unstatedWorlds(t *testing.T, test func(t *testing.T, w *world)) {
	behind := aferotest.OS
	for name, remote := range map[string]func(t *testing.T, served afero.Fs) afero.Fs{
		"Fs": func(_ *testing.T, served afero.Fs) afero.Fs { return remotetest.Sizeless{Fs: served} },
		"SFTP": func(t *testing.T, served afero.Fs) afero.Fs {
			server, err := sftptest.New(&sftptest.Options{Fs: remotetest.Sizeless{Fs: served}})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, server.Close()) })
			client, err := sftpfs.New(server.Config())
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, client.Close()) })
			return client
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &world{TB: t, remote: behind(t.TempDir()), line: new(faultfs.Plan), dir: t.TempDir(), clock: new(clock)}
			w.opts.MaxBytes = 10 << 20
			front := remote(t, w.remote)
			start := func() {
				var err error
				w.fs, err = New(front, afero.NewBasePathFs(afero.NewOsFs(), w.dir), &w.opts)
				require.NoError(t, err)
			}
			start()
			t.Cleanup(func() { require.NoError(t, w.fs.Close()) })
			test(t, w)
			require.NoError(t, w.fs.Close())
			start()
		})
	}
}

func TestUnstatedSizes(t *testing.T) {
	t.Parallel()
	unstatedWorlds(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		large := bytes.Repeat([]byte("0123456789"), 400_000)
		w.put("empty", "")
		w.put("small", "content")
		w.put("dir/large", string(large))
		w.put("dir/too large", string(bytes.Repeat(large, 3)))

		w.requireRead("content", "small")
		w.requireRead("", "empty")
		require.NoError(t, w.fs.Fetch(ctx, "empty"))

		f, err := w.fs.Open("dir/large")
		require.NoError(t, err)
		end, err := f.Seek(0, io.SeekEnd)
		require.NoError(t, err)
		require.EqualValues(t, len(large), end)
		piece := make([]byte, 10)
		_, err = f.ReadAt(piece, end-20)
		require.NoError(t, err)
		require.Equal(t, "0123456789", string(piece))
		require.NoError(t, f.Close())
		fi, err := w.fs.Stat("dir/large")
		require.NoError(t, err)
		require.EqualValues(t, len(large), fi.Size(), "of the copy")
		require.EqualValues(t, len(large)+len("content"), w.fs.Stats().UsedBytes)

		got, err := afero.ReadFile(w.fs, "dir/too large")
		require.NoError(t, err)
		require.True(t, bytes.Equal(got, bytes.Repeat(large, 3)), "%d bytes", len(got))
		w.requireNoLocal("dir/too large")

		require.NoError(t, w.fs.Evict("dir/large"))
		require.NoError(t, w.fs.Remove("dir/too large"))
		report, err := w.fs.Pull(ctx, "/")
		require.NoError(t, err)
		require.EqualValues(t, len(large)+len("content"), report.Bytes)
		report, err = w.fs.Pull(ctx, "/")
		require.NoError(t, err)
		require.Zero(t, report.Bytes, "all is here")
		require.EqualValues(t, len(large)+len("content"), w.fs.Stats().UsedBytes)
		s, err := w.fs.Status("dir/large")
		require.NoError(t, err)
		require.Equal(t, Owned, s.State)
		require.False(t, s.Stale)
		require.EqualValues(t, len(large), s.Size)
	})
}

// A file that grows while it is read is not of one version, whatever was stated first.
func TestEmptyFileGrowsWhileItIsFetched(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.put("f", "")
	grown := 0
	w.line.After(func(op faultfs.Op, err error) error {
		if op.Kind == faultfs.Fstat && grown < 10 {
			grown++
			w.put("f", string(make([]byte, grown)))
		}
		return err
	})
	_, err := afero.ReadFile(w.fs, "f")
	require.ErrorIs(t, err, ErrChanged)
	w.line.Heal()
	w.requireRead(string(make([]byte, grown)), "f")
}
