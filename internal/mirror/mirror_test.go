package mirror

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// identified is a remote that says who it is.
type identified struct {
	afero.Fs
	identity string
}

func (i identified) Identity() string { return i.identity }

// A local directory that was used for one remote is not used for another, unless it is adopted.
func TestIdentityOfTheRemote(t *testing.T) {
	t.Parallel()
	local, base := crashfs.New(nil), crashfs.New(nil)
	open := func(identity string, adopt bool) error {
		m, err := Open(identified{base, identity}, local, Options{AdoptRemote: adopt})
		if err != nil {
			return err
		}
		return m.Close()
	}
	require.NoError(t, open("", false), "it does not say")
	require.NoError(t, open("one", false))
	require.NoError(t, open("one", false))
	require.NoError(t, open("", false))
	err := open("two", false)
	require.ErrorIs(t, err, ErrRemoteChanged)
	require.ErrorContains(t, err, "one")
	require.ErrorContains(t, err, "two")
	require.NoError(t, open("two", true))
	require.NoError(t, open("two", false))
	require.ErrorIs(t, open(string(make([]byte, maxIdentity+1)), true), fs.ErrInvalid)
	require.ErrorIs(t, open("\xff", true), fs.ErrInvalid)
	_, err = Open(nil, local, Options{})
	require.ErrorIs(t, err, fs.ErrInvalid)
	_, err = Open(base, local, Options{MaxBytes: -1})
	require.ErrorIs(t, err, fs.ErrInvalid)
}

// mixed is a mirror of a remote with files in a directory, of which one was changed here.
func mixed(t *testing.T, options Options) (m *FS, base afero.Fs, line *faultfs.Plan) {
	base, line = crashfs.New(nil), new(faultfs.Plan)
	require.NoError(t, base.MkdirAll("/d/e", 0o755))
	for _, name := range []string{"/d/copied", "/d/changed", "/d/e/f"} {
		require.NoError(t, afero.WriteFile(base, name, []byte("of the remote"), 0o644))
	}
	m, err := Open(faultfs.New(base, line), crashfs.New(nil), options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	_, err = m.Pull(".")
	require.NoError(t, err)
	var f *File
	require.NoError(t, m.Do(func(v *View) error {
		p, err := v.Find("d/changed", true)
		if err != nil {
			return err
		}
		f, err = v.OpenNode(v.Materialize(p), "d/changed", os.O_RDWR)
		return err
	}))
	_, err = f.WriteAt([]byte("ON"), 0)
	require.NoError(t, err)
	p := make([]byte, 2)
	_, err = f.ReadAt(p, 0)
	require.NoError(t, err)
	require.Equal(t, "ON", string(p))
	require.NoError(t, f.Close())
	return m, base, line
}

// What was changed here stays when others remove its directory. Copies go.
func TestOthersRemoveADirectoryWithAChange(t *testing.T) {
	t.Parallel()
	m, base, _ := mixed(t, Options{Revalidate: Always, ListTTL: -1})
	require.NoError(t, base.RemoveAll("/d"))
	got, err := names(m.OpenRead("/d"))
	require.NoError(t, err)
	require.Equal(t, "changed-rw-r--r-- 13", got)
	text, err := readAll(m, "d/changed")
	require.NoError(t, err)
	require.Equal(t, "ON the remote", string(text))
	_, err = m.Stat("d/e/f", true)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, m.Do(func(v *View) error {
		require.True(t, differsBelow(v.tree.Root()))
		return nil
	}))
}

// A copy is used when the remote gives no answer, if that is wanted.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	for _, stale := range []bool{false, true} {
		m, _, line := mixed(t, Options{Revalidate: Always, ListTTL: -1, StaleIfUnavailable: stale})
		line.Offline(errors.New("down"))
		_, err := readAll(m, "d/copied")
		_, statErr := m.Stat("d", true)
		if stale {
			require.NoError(t, errors.Join(err, statErr))
		} else {
			require.ErrorIs(t, err, remote.ErrUnavailable)
			require.ErrorIs(t, statErr, remote.ErrUnavailable)
		}
		_, err = m.Stat("none", true)
		require.ErrorIs(t, err, remote.ErrUnavailable)
		text, err := readAll(m, "d/changed")
		require.NoError(t, err)
		require.Equal(t, "ON the remote", string(text))
		line.Heal()
	}
}

// All that is in a directory, with what the remote has below it, is found without a change of anything.
func TestPlaces(t *testing.T) {
	t.Parallel()
	m, base, _ := mixed(t, Options{})
	require.NoError(t, afero.WriteFile(base, "/d/e/new", nil, 0o644))
	f, err := m.local.OpenFile("d/mine", os.O_RDWR|os.O_CREATE, 0o644)
	require.NoError(t, errors.Join(err, f.Close()))
	require.NoError(t, m.Invalidate("d"))
	var found []string
	require.NoError(t, m.Do(func(v *View) error {
		found = nil
		dir := v.Tree().Lookup("d")
		if err := v.ListAll(dir); err != nil {
			return err
		}
		for _, d := range []*tree.Node{dir, dir.Kid("e")} {
			places, err := v.Places(d)
			if err != nil {
				return err
			}
			for _, p := range places {
				found = append(found, p.Path())
			}
			v.Listed(d)
		}
		return nil
	}))
	require.Equal(t, []string{"d/changed", "d/copied", "d/e", "d/mine", "d/e/f", "d/e/new"}, found)
}

// special is a remote on which a file is a named pipe.
type special struct{ afero.Fs }

type pipe struct{ fs.FileInfo }

func (pipe) Mode() fs.FileMode { return fs.ModeNamedPipe | 0o644 }

func (s special) Stat(name string) (fs.FileInfo, error) {
	fi, err := s.Fs.Stat(name)
	if err == nil && fi.Name() == "pipe" {
		fi = pipe{fi}
	}
	return fi, err
}

func (s special) Open(name string) (afero.File, error) {
	f, err := s.Fs.Open(name)
	return specialDir{f}, err
}

type specialDir struct{ afero.File }

func (d specialDir) Readdir(n int) ([]fs.FileInfo, error) {
	infos, err := d.File.Readdir(n)
	for i, fi := range infos {
		if fi.Name() == "pipe" {
			infos[i] = pipe{fi}
		}
	}
	return infos, err
}

// A pipe would block whoever opens it: it is left out, and told.
func TestSpecialFilesAreNotOpened(t *testing.T) {
	t.Parallel()
	base := crashfs.New(nil)
	require.NoError(t, afero.WriteFile(base, "/pipe", []byte("x"), 0o644))
	require.NoError(t, afero.WriteFile(base, "/file", []byte("x"), 0o644))
	m, err := Open(special{base}, crashfs.New(nil), Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, m.Close()) }()
	pulled, err := m.Pull(".")
	require.NoError(t, err)
	require.Len(t, pulled, 2)
	for _, p := range pulled {
		require.Equal(t, p.Name == "pipe", errors.Is(p.Err, errors.ErrUnsupported), p.Name)
	}
	_, err = m.OpenRead("pipe")
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.ErrorIs(t, m.Fetch("pipe"), errors.ErrUnsupported)
}

// A function of the program's may close the mirror that has called it.
func TestCallbackMayClose(t *testing.T) {
	t.Parallel()
	m, err := Open(crashfs.New(nil), crashfs.New(nil), Options{})
	require.NoError(t, err)
	got, err := Callback(m, func() int { return 7 })
	require.NoError(t, err)
	require.Equal(t, 7, got)
	end, err := m.Begin()
	require.NoError(t, err)
	closed := make(chan error)
	_, err = Callback(m, func() int {
		closed <- m.Close()
		return 0
	})
	require.ErrorIs(t, err, fs.ErrClosed)
	end()
	require.NoError(t, <-closed)
	require.NoError(t, m.Close(), "once more")
	_, err = m.Begin()
	require.ErrorIs(t, err, fs.ErrClosed)
	require.ErrorIs(t, m.Quiesce(nil), fs.ErrClosed)
	require.ErrorIs(t, m.Alter(nil, "f"), fs.ErrClosed)
	_, err = m.Stat("f", true)
	require.ErrorIs(t, err, fs.ErrClosed)
}

// connecting is a remote that connects when it is told to.
type connecting struct {
	afero.Fs
	begun chan struct{}
	ended chan error
}

func (c connecting) Connect(ctx context.Context) error {
	close(c.begun)
	<-ctx.Done()
	c.ended <- ctx.Err()
	return ctx.Err()
}

func TestConnectEndsAtClose(t *testing.T) {
	t.Parallel()
	c := connecting{crashfs.New(nil), make(chan struct{}), make(chan error, 1)}
	m, err := Open(c, crashfs.New(nil), Options{})
	require.NoError(t, err)
	m.Connect()
	<-c.begun
	require.NoError(t, m.Close())
	require.ErrorIs(t, <-c.ended, context.Canceled)
	m.Connect() // does nothing any more
}

// While a program walks, the directories that come next are listed ahead of it.
func TestWalkListsAhead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		base, line := crashfs.New(nil), new(faultfs.Plan)
		for _, dir := range []string{"/a/x", "/a/y", "/b/x", "/c/x"} {
			require.NoError(t, base.MkdirAll(dir, 0o755))
		}
		line.Before(func(op faultfs.Op) error {
			if op.Kind == faultfs.Open {
				time.Sleep(time.Second)
			}
			return nil
		})
		m, err := Open(faultfs.New(base, line), crashfs.New(nil), Options{ListTTL: time.Minute})
		require.NoError(t, err)
		began := time.Now()
		for _, dir := range []string{"/", "a", "a/x", "a/y", "b", "b/x", "c", "c/x"} {
			_, err := names(m.OpenRead(dir))
			require.NoError(t, err)
		}
		require.Equal(t, 3*time.Second, time.Since(began), "once for each level")
		require.NoError(t, m.Close())
	})
}

func TestNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"": ".", "/": ".", "/a/./b/": "a/b", "../a/b": "a/b", "a//b": "a/b"} {
		got, err := Clean(name)
		require.NoError(t, err)
		require.Equal(t, want, got, name)
	}
	_, err := Clean("a\x00b")
	require.ErrorIs(t, err, fs.ErrInvalid)
	require.ErrorIs(t, Creatable(".syncfs"), fs.ErrInvalid)
	require.NoError(t, Creatable("syncfs"))
	for s, text := range map[State]string{Absent: "absent", Owned: "owned", Local: "local"} {
		require.Equal(t, text, s.String())
	}
}

// What handles show of a file that is being changed, and of one that was removed.
func TestStatOfOpenFiles(t *testing.T) {
	t.Parallel()
	base := aferotest.OS(t.TempDir())
	require.NoError(t, afero.WriteFile(base, "/f", []byte("content"), 0o644))
	day := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	require.NoError(t, base.Chtimes("/f", day, day))
	m, err := Open(base, crashfs.New(nil), Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, m.Close()) }()
	require.NoError(t, m.Fetch("f"))
	f, err := m.OpenRead("f")
	require.NoError(t, err)
	require.NoError(t, m.Do(func(v *View) error {
		n := v.Tree().Lookup("f")
		require.True(t, day.Equal(v.ModTime(n)))
		v.ShowRemoved(n)
		v.tree.Unlink(n, v.Now())
		return v.Save(tree.Action{Kind: tree.RenameLocal, From: "f", To: v.TrashName()})
	}))
	fi, err := f.Stat()
	require.NoError(t, err)
	require.EqualValues(t, 7, fi.Size())
	require.True(t, day.Equal(fi.ModTime()))
	_, err = f.Write([]byte("x"))
	require.ErrorIs(t, err, syscall.EBADF)
	require.NoError(t, f.Sync())
	require.NoError(t, f.Close())
	_, err = m.Stat("f", true)
	require.ErrorIs(t, err, fs.ErrNotExist)
}
