package localdir

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

func osDir(dir string) afero.Fs { return afero.NewBasePathFs(afero.NewOsFs(), dir) }

// hold is the other process of TestLockOfAnotherProcess.
func hold(dir string) {
	_, err := Open(osDir(dir))
	fmt.Println(err)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func TestLockOfAnotherProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), holdEnv+"="+dir)
	stdin, err := cmd.StdinPipe() // closed with this process: the other one never outlives it
	require.NoError(t, err)
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer func() { _ = cmd.Wait() }()
	defer func() { _ = cmd.Process.Kill() }()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "<nil>\n", line)

	_, err = Open(osDir(dir))
	require.ErrorIs(t, err, ErrLocked)
	host, _ := os.Hostname()
	for _, part := range []string{dir, "process " + strconv.Itoa(cmd.Process.Pid) + " on " + host + " since 2"} {
		require.ErrorContains(t, err, part)
	}

	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	open(t, osDir(dir))
}

func TestLockInOneProcess(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			fsys := kind.new(t)
			d, err := Open(fsys)
			require.NoError(t, err)
			write(t, d, "file", "content")

			_, err = Open(fsys)
			require.ErrorIs(t, err, ErrLocked)
			require.ErrorContains(t, err, "process "+strconv.Itoa(os.Getpid()))
			require.Equal(t, "content", read(t, d, "file"), "who is refused does no harm")

			require.NoError(t, d.Close())
			d, err = Open(fsys)
			require.NoError(t, err)
			require.Equal(t, "content", read(t, d, "file"))
			require.NoError(t, d.Close())
		})
	}
}

// TestLockSeesThrough opens one directory in several ways.
func TestLockSeesThrough(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(dir, link))
	memory := afero.NewMemMapFs()
	for _, tt := range []struct {
		name        string
		first, then afero.Fs
	}{
		{"another base path", osDir(dir), osDir(dir)},
		{"another spelling", osDir(dir), osDir(dir + "/../" + filepath.Base(dir))},
		{"a link", osDir(dir), osDir(link)},
		{"a wrapper in memory", memory, hidden{memory}},
		{"a base path in memory", memory, afero.NewBasePathFs(memory, "/")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := Open(tt.first)
			require.NoError(t, err)
			_, err = Open(tt.then)
			require.ErrorIs(t, err, ErrLocked)
			require.NoError(t, d.Close())
			d, err = Open(tt.then)
			require.NoError(t, err)
			require.NoError(t, d.Close())
		})
	}
}

// TestLockIncomparable uses an Fs that can't be the key of a map and shows no directory in memory.
func TestLockIncomparable(t *testing.T) {
	t.Parallel()
	type incomparable struct {
		afero.Fs
		_ []int
	}
	d, err := Open(incomparable{Fs: osDir(t.TempDir())})
	require.NoError(t, err)
	require.NoError(t, d.Close())
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	stateIsFile := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(stateIsFile, StateDir), nil, 0o600))
	outside := t.TempDir()
	stateIsLink := t.TempDir()
	require.NoError(t, os.Symlink(outside, filepath.Join(stateIsLink, StateDir)))
	tmpIsLink := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(tmpIsLink, StateDir), 0o700))
	require.NoError(t, os.Symlink(outside, filepath.Join(tmpIsLink, TmpDir)))
	lockIsLink := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(lockIsLink, StateDir), 0o700))
	require.NoError(t, os.Symlink(filepath.Join(outside, "made"), filepath.Join(lockIsLink, StateDir, "lock")))
	missing := filepath.Join(dir, "missing")

	for _, tt := range []struct {
		name string
		fsys afero.Fs
		want string
		text string
	}{
		{"missing", osDir(missing), "not exist", missing},
		{"file", osDir(file), "ENOTDIR", file},
		{"missing in memory", afero.NewBasePathFs(afero.NewMemMapFs(), "/missing"), "not exist", "missing"},
		{"state directory is a file", osDir(stateIsFile), "ENOTDIR", StateDir},
		{"state directory is a link", osDir(stateIsLink), "ENOTDIR", StateDir},
		{"tmp is a link", osDir(tmpIsLink), "ENOTDIR", TmpDir},
		{"lock is a link", osDir(lockIsLink), "escapes", lockIsLink},
		{"read-only", afero.NewReadOnlyFs(osDir(dir)), "other", StateDir},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Open(tt.fsys)
			require.Contains(t, class(t, err), tt.want)
			require.ErrorContains(t, err, tt.text)
		})
	}
	left, err := os.ReadDir(outside)
	require.NoError(t, err)
	require.Empty(t, left)
	// A refused Open holds nothing.
	require.NoError(t, os.Remove(filepath.Join(tmpIsLink, TmpDir)))
	open(t, osDir(tmpIsLink))
}
