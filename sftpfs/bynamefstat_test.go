package sftpfs_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/link"
	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/internal/sftpservers"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// A server that answers FSTAT by the name states the size of the new file, which the handle does not reach. What is read
// is no mix of the two.
func TestReplacedWhileOpenOnAServerThatStatesByName(t *testing.T) {
	t.Parallel()
	fsys := newFs(t, foreignConfig(t, sftpservers.Start(t, "pkg/sftp RequestServer")))
	old := strings.Repeat("a", 5000)
	require.NoError(t, afero.WriteFile(fsys, "f", []byte(old), 0o644))
	require.NoError(t, afero.WriteFile(fsys, "g", []byte(strings.Repeat("b", 7000)), 0o644))
	f, err := fsys.Open("f")
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, fsys.Rename("g", "f"))
	got, err := io.ReadAll(f)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Equal(t, old, string(got))
}

// A large file that is replaced while it is open, or while it is copied over several channels, is copied as the one that
// was opened, or not without an error.
func TestCopyOfAReplacedFileIsNoMix(t *testing.T) {
	t.Parallel()
	const n = 20 << 20
	when := time.Unix(1e9, 0)
	servers := map[string]func(*testing.T) (sftpfs.Config, string){
		"by name": func(t *testing.T) (sftpfs.Config, string) {
			s := sftpservers.Start(t, "pkg/sftp RequestServer")
			return foreignConfig(t, s), s.Root
		},
		"by handle": func(t *testing.T) (sftpfs.Config, string) {
			s := opensshtest.Start(t, opensshtest.Options{})
			return openSSHConfig(s), s.Root
		},
	}
	for name, c := range map[string]struct {
		size  int // of the new file; -1: there is none
		mtime time.Time
		later bool // replaced during the copy
	}{
		"same size and time":             {size: n, mtime: when},
		"same size and time, meanwhile":  {size: n, mtime: when, later: true},
		"same size, other time":          {size: n, mtime: when.Add(time.Hour)},
		"same size, other time, at last": {size: n, mtime: when.Add(time.Hour), later: true},
		"longer":                         {size: n + 5000, mtime: when},
		"shorter":                        {size: n / 2, mtime: when},
		"removed":                        {size: -1},
		"removed, meanwhile":             {size: -1, later: true},
	} {
		for by, start := range servers {
			t.Run(by+", "+name, func(t *testing.T) {
				t.Parallel()
				cfg, root := start(t)
				_, cfg = far(t, cfg, link.Options{RoundTrip: 15 * time.Millisecond})
				fsys := newFs(t, cfg)
				at := func(name string) string { return filepath.Join(root, name) }
				old := bytes.Repeat([]byte("a"), n)
				require.NoError(t, os.WriteFile(at("f"), old, 0o644))
				require.NoError(t, os.Chtimes(at("f"), when, when))
				replace := func() { require.NoError(t, os.Remove(at("f"))) }
				if c.size >= 0 {
					require.NoError(t, os.WriteFile(at("g"), bytes.Repeat([]byte("b"), c.size), 0o644))
					require.NoError(t, os.Chtimes(at("g"), c.mtime, c.mtime))
					replace = func() { require.NoError(t, os.Rename(at("g"), at("f"))) }
				}
				f, err := fsys.Open("f")
				require.NoError(t, err)
				defer f.Close()
				if !c.later {
					replace()
				}
				var got bytes.Buffer
				var once sync.Once
				_, err = f.(io.WriterTo).WriteTo(writerFunc(func(b []byte) (int, error) {
					if c.later {
						once.Do(replace)
					}
					return got.Write(b)
				}))
				require.Zero(t, bytes.Count(got.Bytes(), []byte("b")))
				if err == nil {
					require.Equal(t, n, got.Len())
				}
			})
		}
	}
}

// After the loss of the connection, a file is not read on if it was replaced while it was open, though the server states
// the attributes of the new one for the handle of the old one.
func TestReadGoesOnInNoOtherFile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		replaced, goesOn bool
	}{
		"the same": {goesOn: true},
		"another":  {replaced: true},
	} {
		server := sftptest.Start(t, sftptest.StatesByName())
		fsys := newFs(t, server.Config())
		put(t, server, "/f", strings.Repeat("a", 5000))
		put(t, server, "/g", strings.Repeat("b", 7000))
		f, err := fsys.Open("f")
		require.NoError(t, err, name)
		if c.replaced {
			require.NoError(t, server.Fs().Rename("/g", "/f"), name)
		}
		_, err = f.Stat()
		require.NoError(t, err, name)
		server.Disconnect()
		got := make([]byte, 10)
		_, err = f.Read(got)
		if c.goesOn {
			require.NoError(t, err, name)
			require.Equal(t, strings.Repeat("a", 10), string(got), name)
		} else {
			require.ErrorIs(t, err, sftpfs.ErrUnavailable, name)
		}
		require.NoError(t, f.Close(), name)
	}
}

// A file that was replaced by one of the same size and time is not read on in that one.
func TestReadGoesOnWithTheSameBytesAlone(t *testing.T) {
	t.Parallel()
	when := time.Unix(1e9, 0)
	server := newServer(t, nil)
	fsys := newFs(t, server.Config())
	for name, content := range map[string]string{"/f": "a", "/g": "b"} {
		put(t, server, name, strings.Repeat(content, 5000))
		require.NoError(t, server.Fs().Chtimes(name, when, when))
	}
	f, err := fsys.Open("f")
	require.NoError(t, err)
	_, err = f.Stat()
	require.NoError(t, err)
	_, err = f.Read(make([]byte, 10))
	require.NoError(t, err)
	require.NoError(t, server.Fs().Rename("/g", "/f"))
	server.Disconnect()
	_, err = f.Read(make([]byte, 10))
	require.ErrorIs(t, err, sftpfs.ErrUnavailable)
	require.NoError(t, f.Close())
}
