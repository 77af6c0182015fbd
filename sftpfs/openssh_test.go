package sftpfs_test

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pkg/sftp"
	"github.com/spf13/afero"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
)

// What the conformance suite leaves open, on the server that matters most: the files are looked at on its disk.
func TestOpenSSH(t *testing.T) {
	t.Parallel()
	server := opensshtest.Start(t, opensshtest.Options{})
	root := filepath.Join(server.Root, "root")
	require.NoError(t, os.Mkdir(root, 0o755))
	cfg := openSSHConfig(server)
	cfg.Root = root
	fsys := newFs(t, cfg)
	onDisk := func(name string) string { return filepath.Join(root, name) }

	t.Run("nothing leads above the root", func(t *testing.T) {
		require.NoError(t, afero.WriteFile(fsys, "../../up", []byte("x"), 0o666))
		require.FileExists(t, onDisk("up"))
		require.NoError(t, fsys.Mkdir("/../../../d", 0o777))
		require.DirExists(t, onDisk("d"))
		require.NoError(t, fsys.RemoveAll("../d/../.."))
		require.DirExists(t, root)
		entries, err := os.ReadDir(root)
		require.NoError(t, err)
		require.Empty(t, entries)
		require.Error(t, fsys.Remove("/"))
		require.DirExists(t, root)
	})
	t.Run("names that would harm the session never leave", func(t *testing.T) {
		_, err := fsys.Open("a\x00b")
		require.ErrorIs(t, err, fs.ErrInvalid)
		require.ErrorIs(t, fsys.Rename("a", "b\x00"), fs.ErrInvalid)
		require.ErrorIs(t, fsys.SymlinkIfPossible("\x00", "l"), fs.ErrInvalid)
		_, err = fsys.Stat("/")
		require.NoError(t, err)
	})
	t.Run("long names", func(t *testing.T) {
		longest := strings.Repeat("n", 255)
		require.NoError(t, afero.WriteFile(fsys, longest, nil, 0o666))
		require.FileExists(t, onDisk(longest))
		for _, err := range []error{
			afero.WriteFile(fsys, longest+strings.Repeat("n", 45), nil, 0o666),
			fsys.Mkdir(longest+"n", 0o777),
			fsys.Rename(longest, longest+"n"),
		} {
			require.ErrorContains(t, err, "file name too long")
			require.NotErrorIs(t, err, fs.ErrNotExist)
		}
	})
	t.Run("modes of new files alone", func(t *testing.T) {
		require.NoError(t, afero.WriteFile(fsys, "secret", []byte("1"), 0o600))
		require.NoError(t, os.Chmod(onDisk("secret"), 0o640))
		require.NoError(t, afero.WriteFile(fsys, "secret", []byte("2"), 0o666))
		f, err := fsys.OpenFile("secret", os.O_RDONLY, 0)
		require.NoError(t, err)
		require.NoError(t, f.Close())
		fi, err := os.Stat(onDisk("secret"))
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o640), fi.Mode())
	})
	t.Run("links in the root are stored below it", func(t *testing.T) {
		require.NoError(t, fsys.SymlinkIfPossible("/secret", "l"))
		target, err := os.Readlink(onDisk("l"))
		require.NoError(t, err)
		require.Equal(t, onDisk("secret"), target)
		target, err = fsys.ReadlinkIfPossible("l")
		require.NoError(t, err)
		require.Equal(t, "/secret", target)
		require.NoError(t, fsys.SymlinkIfPossible("../secret", "r"))
		target, err = os.Readlink(onDisk("r"))
		require.NoError(t, err)
		require.Equal(t, "../secret", target)
	})
	t.Run("removal spares what a link leads to", func(t *testing.T) {
		kept := filepath.Join(server.Root, "kept")
		require.NoError(t, os.MkdirAll(filepath.Join(kept, "d"), 0o755))
		require.NoError(t, fsys.MkdirAll("tree/sub", 0o777))
		require.NoError(t, os.Symlink(kept, onDisk("tree/sub/link")))
		require.NoError(t, fsys.RemoveAll("tree"))
		require.DirExists(t, filepath.Join(kept, "d"))
		require.NoDirExists(t, onDisk("tree"))
	})
	t.Run("times", func(t *testing.T) {
		require.NoError(t, afero.WriteFile(fsys, "times", nil, 0o666))
		when := time.Unix(1<<32-1, 0)
		require.NoError(t, fsys.Chtimes("times", when, when))
		fi, err := fsys.Stat("times")
		require.NoError(t, err)
		require.True(t, fi.ModTime().Equal(when))
		require.IsType(t, (*sftp.FileStat)(nil), fi.Sys())
		for _, bad := range []time.Time{time.Unix(1<<32, 0), time.Unix(-1, 0), time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC)} {
			require.ErrorIs(t, fsys.Chtimes("times", when, bad), fs.ErrInvalid)
			require.ErrorIs(t, fsys.Chtimes("times", bad, when), fs.ErrInvalid)
		}
		fi, err = fsys.Stat("times")
		require.NoError(t, err)
		require.True(t, fi.ModTime().Equal(when))
	})
	t.Run("sync", func(t *testing.T) {
		f, err := fsys.Create("synced")
		require.NoError(t, err)
		_, err = f.WriteString("content")
		require.NoError(t, err)
		require.NoError(t, f.Sync())
		require.NoError(t, f.Close())
	})
	t.Run("an unexplained refusal", func(t *testing.T) {
		if _, err := os.Stat("/dev/full"); err != nil {
			t.Skip("this system has no /dev/full")
		}
		full, err := sftpfs.New(func() sftpfs.Config { c := cfg; c.Root = "/dev"; return c }())
		require.NoError(t, err)
		defer full.Close()
		f, err := full.OpenFile("full", os.O_WRONLY, 0)
		require.NoError(t, err)
		_, err = f.Write([]byte("x"))
		require.ErrorContains(t, err, "input/output error")
		require.ErrorContains(t, err, "SSH_FX_FAILURE")
		require.NotErrorIs(t, err, sftpfs.ErrUnavailable)
		require.NoError(t, f.Close())
	})
}

// A server that does not offer to replace refuses, and nothing is lost.
func TestOpenSSHWithoutPosixRename(t *testing.T) {
	t.Parallel()
	server := opensshtest.Start(t, opensshtest.Options{SFTPServerArgs: []string{"-P", "posix-rename"}})
	fsys := newFs(t, openSSHConfig(server))
	require.NoError(t, afero.WriteFile(fsys, "a", []byte("a"), 0o666))
	require.NoError(t, afero.WriteFile(fsys, "b", []byte("b"), 0o666))
	err := fsys.Rename("a", "b")
	require.ErrorIs(t, err, fs.ErrExist)
	var linkErr *os.LinkError
	require.True(t, errors.As(err, &linkErr))
	for _, name := range []string{"a", "b"} {
		got, err := afero.ReadFile(fsys, name)
		require.NoError(t, err)
		require.Equal(t, name, string(got))
	}
	require.NoError(t, fsys.Rename("a", "c"))
	require.NoError(t, fsys.Rename("c", "c"))
	require.ErrorIs(t, fsys.Rename("a", "d"), fs.ErrNotExist)
}

func TestOpenSSHReadOnly(t *testing.T) {
	t.Parallel()
	server := opensshtest.Start(t, opensshtest.Options{SFTPServerArgs: []string{"-R"}})
	require.NoError(t, os.WriteFile(filepath.Join(server.Root, "f"), []byte("content"), 0o644))
	fsys := newFs(t, openSSHConfig(server))
	for _, err := range []error{
		afero.WriteFile(fsys, "g", nil, 0o600), fsys.Remove("f"), fsys.Rename("f", "g"), fsys.Mkdir("d", 0o777),
		fsys.Chmod("f", 0o600), fsys.Chtimes("f", time.Now(), time.Now()),
	} {
		require.ErrorIs(t, err, fs.ErrPermission)
	}
	b, err := afero.ReadFile(fsys, "f")
	require.NoError(t, err)
	require.Equal(t, "content", string(b))
	require.NoError(t, fstest.TestFS(afero.NewIOFS(fsys), "f"))
}

// Whatever is done at the same time, OpenSSH gives out the handles that are predicted.
func TestOpenSSHGivesOutHandlesAsPredicted(t *testing.T) {
	t.Parallel()
	server := opensshtest.Start(t, opensshtest.Options{})
	fsys := newFs(t, openSSHConfig(server))
	then := time.Unix(1e9, 0)
	require.NoError(t, fsys.Mkdir("many", 0o755))
	require.NoError(t, fsys.Mkdir("made", 0o755))
	for i := range 1000 {
		name := filepath.Join(server.Root, "many", strconv.Itoa(i))
		require.NoError(t, os.WriteFile(name, []byte(name), 0o644))
		require.NoError(t, os.Chtimes(name, then, then))
	}
	var running sync.WaitGroup
	for i := range 300 {
		running.Go(func() {
			name := path.Join("many", strconv.Itoa(i))
			want := filepath.Join(server.Root, "many", strconv.Itoa(i))
			switch i % 6 {
			case 0:
				entries, err := fsys.ReadDir("many")
				assert.NoError(t, err)
				assert.Len(t, entries, 1000)
			case 1:
				content, _, err := fsys.ReadVersion(name, int64(len(want)), then)
				assert.NoError(t, err)
				assert.Equal(t, want, string(content))
			case 2:
				_, _, err := fsys.ReadVersion("none", 1, then)
				assert.ErrorIs(t, err, errors.ErrUnsupported)
				_, err = fsys.ReadDir("none")
				assert.ErrorIs(t, err, fs.ErrNotExist)
			case 3:
				made := path.Join("made", strconv.Itoa(i))
				staged, there, err := fsys.Stage(made, []byte(made), 0o644, then, then, "none")
				assert.NoError(t, err)
				assert.EqualValues(t, len(made), staged.Size())
				assert.Nil(t, there)
				content, err := os.ReadFile(filepath.Join(server.Root, made))
				assert.NoError(t, err)
				assert.Equal(t, made, string(content))
			case 4:
				content, err := afero.ReadFile(fsys, name)
				assert.NoError(t, err)
				assert.Equal(t, want, string(content))
			default:
				_, err := fsys.Open("none")
				assert.ErrorIs(t, err, fs.ErrNotExist)
			}
		})
	}
	running.Wait()
	right, wrong := fsys.Predicting()
	require.Positive(t, right)
	require.Zero(t, wrong)
}

// The command that OpenSSH runs for SFTP may be another one, or no SFTP server at all.
func TestOpenSSHRunsAnotherCommand(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options opensshtest.Options
		wrong   bool
	}{
		"ForceCommand":          {opensshtest.Options{Config: []string{"ForceCommand internal-sftp"}}, false},
		"one that ends":         {opensshtest.Options{Subsystem: "/bin/false"}, true},
		"one that says hello":   {opensshtest.Options{Subsystem: script(t, "echo 'Hello, you are welcome'")}, true},
		"a ForceCommand":        {opensshtest.Options{Config: []string{"ForceCommand /bin/true"}}, true},
		"one that is not there": {opensshtest.Options{Subsystem: "/nowhere"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := opensshtest.Start(t, c.options)
			fsys := newFs(t, openSSHConfig(server))
			err := fsys.Connect(t.Context())
			made := fsys.Mkdir("d", 0o777)
			if !c.wrong {
				require.NoError(t, err)
				require.NoError(t, made)
				return
			}
			for _, err := range []error{err, made} {
				require.ErrorIs(t, err, sftpfs.ErrUnavailable)
				require.NotErrorIs(t, err, fs.ErrNotExist)
			}
			require.NoDirExists(t, filepath.Join(server.Root, "d"))
		})
	}
}
