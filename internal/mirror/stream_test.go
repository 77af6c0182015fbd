package mirror

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/download"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// gated is a remote whose files can be read from the start as far as it says.
type gated struct {
	afero.Fs
	opened chan struct{} // closed to let files be opened
	read   chan struct{} // closed to let them be read
}

func (g gated) Open(name string) (afero.File, error) {
	<-g.opened
	f, err := g.Fs.Open(name)
	return gatedFile{f, g, new(sync.Mutex), new(int)}, err
}

type gatedFile struct {
	afero.File
	g     gated
	mu    *sync.Mutex
	reads *int
}

func (f gatedFile) Read(p []byte) (int, error) {
	f.mu.Lock()
	*f.reads++
	first := *f.reads == 1
	f.mu.Unlock()
	if !first {
		<-f.g.read
	}
	return f.File.Read(p)
}

// emptied opens the file without its bytes.
func (f *fetching) emptied() (w *File) {
	f.Helper()
	require.NoError(f, f.m.Do(func(v *View) error {
		p, err := v.Find("file", true)
		if err != nil {
			return err
		}
		w, err = v.Emptied(v.Materialize(p), "file", os.O_RDWR)
		return err
	}))
	return w
}

// A file that is emptied while it arrives is what its readers see from then on, as in package os.
func TestEmptiedWhileItArrives(t *testing.T) {
	t.Parallel()
	for _, stage := range []string{"opening", "begun", "read", "read far ahead"} {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			g := gated{opened: make(chan struct{}), read: make(chan struct{})}
			f := newFetching(t, func(remote afero.Fs) afero.Fs { g.Fs = remote; return g })
			var once sync.Once
			release := func() { once.Do(func() { close(g.read) }) }
			t.Cleanup(release)
			if stage != "opening" {
				close(g.opened)
			}
			opened := make(chan afero.File, 1)
			go func() {
				r, err := f.m.OpenRead("file")
				if err != nil {
					t.Error(err)
				}
				opened <- r
			}()
			var r afero.File
			p := make([]byte, 10)
			if stage != "opening" {
				r = <-opened
				fi, err := r.Stat()
				require.NoError(t, err)
				require.Equal(t, int64(len(large)), fi.Size())
			} else {
				require.Eventually(t, func() bool { // the reader has joined
					f.m.mu.Lock()
					defer f.m.mu.Unlock()
					return len(f.m.joinable) == 1
				}, wait, tick)
			}
			switch stage {
			case "read":
				_, err := r.ReadAt(p, 1000)
				require.NoError(t, err)
			case "read far ahead":
				_, err := r.ReadAt(p, int64(len(large)-10))
				require.NoError(t, err)
				require.Equal(t, large[len(large)-10:], p)
			}
			w := f.emptied()
			if stage == "opening" {
				close(g.opened)
				r = <-opened
			}
			_, err := r.Read(p)
			require.Equal(t, io.EOF, err)
			_, err = w.WriteString("written")
			require.NoError(t, err)
			got, err := io.ReadAll(r)
			require.NoError(t, err)
			require.Equal(t, "written", string(got))
			fi, err := r.Stat()
			require.NoError(t, err)
			require.Equal(t, int64(7), fi.Size())
			release()
			require.NoError(t, w.Close())
			require.NoError(t, r.Close())
			f.has([]byte("written"))
		})
	}
}

// Whoever waits for all of a file that another handle reads, and a third one empties, finds the emptied one.
func TestFetchOfWhatIsEmptiedMeanwhile(t *testing.T) {
	t.Parallel()
	g := gated{opened: make(chan struct{}), read: make(chan struct{})}
	f := newFetching(t, func(remote afero.Fs) afero.Fs { g.Fs = remote; return g })
	close(g.opened)
	r, err := f.m.OpenRead("file")
	require.NoError(t, err)
	fetched := make(chan error)
	go func() { fetched <- f.m.Fetch("file") }()
	require.Eventually(t, func() bool { // it waits
		f.m.mu.Lock()
		defer f.m.mu.Unlock()
		for a := range f.m.running {
			return a.waiting == 1
		}
		return false
	}, wait, tick)
	w := f.emptied()
	require.NoError(t, <-fetched)
	close(g.read)
	require.NoError(t, w.Close())
	require.NoError(t, r.Close())
	f.has(nil)
}

// A copy that has been put into its place is no download any more: who reads to the end and comes again, after it was deleted
// by hand, would be given what was deleted.
func TestInstalledDownloadIsNotJoined(t *testing.T) {
	t.Parallel()
	f := newFetching(t, func(remote afero.Fs) afero.Fs { return remote })
	for range 100 {
		r, err := f.m.OpenRead("file")
		require.NoError(t, err)
		got, err := io.ReadAll(r)
		require.NoError(t, err)
		require.True(t, bytes.Equal(large, got))
		f.m.mu.Lock()
		arriving := len(f.m.joinable)
		f.m.mu.Unlock()
		require.Zero(t, arriving)
		require.NoError(t, r.Close())
		require.NoError(t, f.m.Evict("file"))
	}
}

// A handle whose download has failed goes over to a copy that is recorded and not in its place yet: not to the older one that
// still is.
func TestStreamReadsACopyThatIsLanding(t *testing.T) {
	t.Parallel()
	remote := afero.NewMemMapFs()
	require.NoError(t, afero.WriteFile(remote, "f", []byte("old"), 0o644))
	m, err := Open(remote, afero.NewBasePathFs(afero.NewOsFs(), t.TempDir()), Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, m.Close()) }()
	require.NoError(t, m.Fetch("f"))

	const temp = localdir.TmpDir + "/landing"
	f, err := m.local.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	require.NoError(t, err)
	_, err = f.WriteAt([]byte("the new one"), 0)
	require.NoError(t, err)
	info, err := f.Stat()
	require.NoError(t, errors.Join(err, f.Close()))

	s := &stream{m: m, path: "f"}
	require.NoError(t, m.Do(func(v *View) error {
		s.node = v.tree.Lookup("f")
		v.tree.MarkStale(s.node)
		s.node.Meta.Size = info.Size()
		v.tree.Install(s.node, tree.Copy{Stamp: tree.Stamp(info.Stamp), Installing: temp})
		return nil
	}))
	require.NoError(t, s.settle(download.ErrSuperseded))
	p := make([]byte, 20)
	n, err := s.local.ReadAt(p, 0)
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, "the new one", string(p[:n]))
	require.NoError(t, s.local.Close())
}

// What comes to the new name of a file that was renamed after it was opened is not what was opened.
func TestOpenedAndRenamed(t *testing.T) {
	t.Parallel()
	remote := afero.NewMemMapFs()
	require.NoError(t, afero.WriteFile(remote, "f", []byte("opened"), 0o644))
	m, err := Open(remote, afero.NewBasePathFs(afero.NewOsFs(), t.TempDir()), Options{Revalidate: Always, FillAfterClose: -1})
	require.NoError(t, err)
	defer func() { require.NoError(t, m.Close()) }()
	f, arriving, err := m.openHere("f", "/f")
	require.NoError(t, err)
	require.Nil(t, f)
	require.NoError(t, remote.Rename("f", "g"))
	require.NoError(t, m.Do(func(v *View) error { return v.Renamed("f", v.tree.Root(), "g") }))
	require.NoError(t, afero.WriteFile(remote, "g", []byte("another one"), 0o644))

	t.Run("before it arrives", func(t *testing.T) {
		f, err := m.openArriving(arriving, "/f")
		require.NoError(t, err)
		require.Nil(t, f, "to be looked at again")
		_, err = m.OpenRead("/f")
		require.ErrorIs(t, err, fs.ErrNotExist)
	})
	t.Run("while it arrives", func(t *testing.T) {
		s := &stream{m: m, node: arriving.node, path: arriving.path, expected: arriving.expected}
		m.mu.Lock()
		s.shared = m.view().share(s.node)
		s.shared.streams++
		m.mu.Unlock()
		a, err := s.rejoin()
		require.NoError(t, err)
		require.Equal(t, arriving.expected.meta, *s.version)
		s.at = a
		_, err = s.ReadAt(make([]byte, 5), 0)
		require.ErrorIs(t, err, ErrChanged)
		require.NoError(t, s.Close())
	})
	t.Run("when it is here", func(t *testing.T) {
		require.NoError(t, m.Fetch("g"))
		s := &stream{m: m, node: arriving.node, path: arriving.path, expected: arriving.expected}
		require.ErrorIs(t, s.settle(download.ErrSuperseded), ErrChanged)
	})
}

// io.Copy says that all is wanted before anything has come.
func TestCopyOfAFileThatIsNotHere(t *testing.T) {
	t.Parallel()
	plan := new(faultfs.Plan)
	f := newFetching(t, func(remote afero.Fs) afero.Fs { return faultfs.New(remote, plan) })
	r, err := f.m.OpenRead("file")
	require.NoError(t, err)
	var got bytes.Buffer
	n, err := io.Copy(&got, r)
	require.NoError(t, err)
	require.EqualValues(t, len(large), n)
	require.True(t, bytes.Equal(large, got.Bytes()))
	n, err = io.Copy(&got, r)
	require.NoError(t, err)
	require.Zero(t, n)
	require.NoError(t, r.Close())
	_, err = io.Copy(&got, r)
	require.ErrorIs(t, err, fs.ErrClosed)
	require.ErrorAs(t, err, new(*fs.PathError))
	f.has(large)

	r, err = f.m.OpenRead("file") // is here
	require.NoError(t, err)
	_, err = r.Seek(-10, io.SeekEnd)
	require.NoError(t, err)
	got.Reset()
	n, err = io.Copy(struct{ io.Writer }{&got}, r)
	require.NoError(t, err)
	require.EqualValues(t, 10, n)
	require.NoError(t, r.Close())
}
