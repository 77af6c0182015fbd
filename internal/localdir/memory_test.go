package localdir

import (
	"io/fs"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

// TestNamesWithoutSlash uses a file system in memory as many do, without a leading slash, which makes other names.
func TestNamesWithoutSlash(t *testing.T) {
	t.Parallel()
	for _, wrap := range []func(afero.Fs) afero.Fs{
		func(f afero.Fs) afero.Fs { return f },
		func(f afero.Fs) afero.Fs { return hidden{f} },
	} {
		memory := afero.NewMemMapFs()
		d := open(t, wrap(memory))
		put := func(name, content string) {
			require.NoError(t, afero.WriteFile(memory, name, []byte(content), 0o644))
		}
		put("file", "one")
		put("dir/file", "two")
		require.Equal(t, "one", read(t, d, "file"))
		require.Equal(t, "two", read(t, d, "dir/file"))
		require.Equal(t, []string{"dir", "file"}, names(t, d, "."))

		write(t, d, "dir/new", "three")
		write(t, d, "top", "four")
		require.Equal(t, []string{"file", "new"}, names(t, d, "dir"))
		require.NoError(t, d.Rename("dir", "moved"))
		require.Equal(t, "two", read(t, d, "moved/file"))
		require.Equal(t, "three", read(t, d, "moved/new"))
		require.NoError(t, d.Rename("file", "moved/file"))
		require.Equal(t, "one", read(t, d, "moved/file"))
		require.Equal(t, []string{"moved", "top"}, names(t, d, "."))

		// Both at once: the one with the slash counts, and there is one entry.
		put("/top", "hides")
		require.Equal(t, "hides", read(t, d, "top"))
		require.Equal(t, []string{"moved", "top"}, names(t, d, "."))
	}
}

func TestModesNobodySet(t *testing.T) {
	t.Parallel()
	memory := afero.NewMemMapFs()
	d := open(t, memory)
	f, err := memory.Create("/dir/file")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	info, err := d.Lstat("dir/file")
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o666), info.Mode)
	info, err = d.Lstat("dir")
	require.NoError(t, err)
	require.Equal(t, fs.ModeDir|0o777, info.Mode)

	require.NoError(t, d.Chmod("dir/file", 0o400))
	info, err = d.Lstat("dir/file")
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o400), info.Mode)
}

// TestCloseKeepsTime checks on every Fs that opening and closing does not touch the modification time, whatever the
// file is called by then.
func TestCloseKeepsTime(t *testing.T) {
	t.Parallel()
	past := time.Unix(1_000_000_000, 0)
	overEach(t, func(t *testing.T, d *Dir) {
		mtime := func(name string) time.Time {
			info, err := d.Lstat(name)
			require.NoError(t, err)
			return info.ModTime()
		}
		write(t, d, "file", "content")
		for _, flag := range []int{os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_RDWR | os.O_CREATE, os.O_CREATE} {
			require.NoError(t, d.Chtimes("file", past, past))
			f, err := d.OpenFile("file", flag, 0o644)
			require.NoError(t, err)
			require.NoError(t, f.Sync())
			require.NoError(t, f.Close())
			require.True(t, past.Equal(mtime("file")), "flag %#x: %v", flag, mtime("file"))
		}

		f, err := d.OpenFile("file", os.O_RDWR, 0)
		require.NoError(t, err)
		_, err = f.WriteAt([]byte("x"), 0)
		require.NoError(t, err)
		require.False(t, past.Equal(mtime("file")), "a write changes the time")
		require.NoError(t, d.Chtimes("file", past, past))
		_, err = f.WriteAt(nil, 0)
		require.NoError(t, err)
		require.True(t, past.Equal(mtime("file")), "a write of nothing does not")
		require.NoError(t, d.Rename("file", "renamed"))
		write(t, d, "file", "another")
		other := mtime("file")
		require.NoError(t, f.Close())
		require.True(t, past.Equal(mtime("renamed")), "%v", mtime("renamed"))
		require.True(t, other.Equal(mtime("file")))
	})
}

// TestConcurrentNames lets goroutines fight over names; the race detector and the counts are the judges.
func TestConcurrentNames(t *testing.T) {
	t.Parallel()
	overEach(t, func(t *testing.T, d *Dir) {
		require.NoError(t, d.Mkdir("dir", 0o755))
		const workers = 8
		var created, made [workers]bool
		var wg sync.WaitGroup
		for i := range workers {
			wg.Go(func() {
				own := "dir/" + string(rune('a'+i))
				for range 20 {
					f, err := d.OpenFile("dir/once", os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
					if err == nil {
						created[i] = true
						f.Close()
					}
					made[i] = d.Mkdir("dir/made", 0o755) == nil || made[i]
					write(t, d, own, "x")
					_ = d.Rename(own, own+"2")
					_, _ = d.ReadDir("dir")
					_, _ = d.Lstat("dir/once")
					_ = d.Chmod("dir/once", 0o600)
					_ = d.Chtimes("dir/once", time.Now(), time.Now())
					_ = d.Remove(own + "2")
				}
			})
		}
		wg.Wait()
		count := func(all [workers]bool) (n int) {
			for _, b := range all {
				if b {
					n++
				}
			}
			return n
		}
		require.Equal(t, 1, count(created))
		require.Equal(t, 1, count(made))
		require.Equal(t, []string{"made", "once"}, names(t, d, "dir"))
	})
}

// TestContentsAreReleased checks that what open handles share goes with the last of them, whatever their number.
func TestContentsAreReleased(t *testing.T) {
	t.Parallel()
	d := open(t, afero.NewMemMapFs())
	shared := &d.backend.(*aferoDir).contents
	var files []*File
	for range 3 {
		f, err := d.OpenFile("file", os.O_RDWR|os.O_CREATE, 0o644)
		require.NoError(t, err)
		files = append(files, f)
	}
	require.Len(t, shared.open, 1)
	for _, f := range files {
		require.Len(t, shared.open, 1)
		require.NoError(t, f.Close())
		require.ErrorIs(t, f.Close(), fs.ErrClosed)
	}
	require.Empty(t, shared.open)
}

// closeHook is an Fs in memory that calls hook when a file has been closed.
type closeHook struct {
	afero.Fs
	hook func()
}

type hookedFile struct {
	afero.File
	hook func()
}

func (c closeHook) OpenFile(name string, flag int, perm os.FileMode) (afero.File, error) {
	f, err := c.Fs.OpenFile(name, flag, perm)
	return hookedFile{f, c.hook}, err
}

func (h hookedFile) Close() error {
	err := h.File.Close()
	h.hook()
	return err
}

// TestCloseHidesItsTime looks while the time of a file is that of a Close.
func TestCloseHidesItsTime(t *testing.T) {
	t.Parallel()
	past := time.Unix(1_000_000_000, 0)
	during := func() {}
	d := open(t, closeHook{afero.NewMemMapFs(), func() { during() }})
	write(t, d, "file", "content")
	other, err := d.OpenFile("file", os.O_RDWR, 0)
	require.NoError(t, err)
	defer other.Close()

	looks := []func() (Info, error){
		func() (Info, error) { return d.Lstat("file") },
		other.Stat,
		func() (Info, error) {
			infos, err := d.ReadDir(".")
			return infos[0], err
		},
	}
	for range 100 {
		for _, look := range looks {
			require.NoError(t, d.Chtimes("file", past, past))
			f, err := d.OpenFile("file", os.O_RDWR, 0)
			require.NoError(t, err)
			seen := make(chan Info, 1)
			during = func() {
				started := make(chan struct{})
				go func() {
					close(started)
					info, err := look()
					if err != nil {
						t.Error(err)
					}
					seen <- info
				}()
				<-started
				runtime.Gosched()
			}
			require.NoError(t, f.Close())
			during = func() {}
			info := <-seen
			require.True(t, past.Equal(info.ModTime()), "%v", info.ModTime())
		}
	}
}

// TestCloseWaitsForWrites checks that no write comes between the time that Close saw and the one it sets.
func TestCloseWaitsForWrites(t *testing.T) {
	t.Parallel()
	during := func() {}
	d := open(t, closeHook{afero.NewMemMapFs(), func() { during() }})
	closed := 0
	during = func() {
		for _, shared := range d.backend.(*aferoDir).contents.open {
			closed++
			require.False(t, shared.TryRLock(), "a write could go on")
		}
	}
	write(t, d, "file", "content")
	require.Equal(t, 1, closed)
}
