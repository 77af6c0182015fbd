package mirror

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"sync"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
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
					return f.m.copies.Starts() == 1
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
		return f.m.Stats().Waits == 1
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
		joinable := f.m.copies.Joinable(f.m.tree.Root().Kid("file"))
		f.m.mu.Unlock()
		require.False(t, joinable)
		require.NoError(t, r.Close())
		require.NoError(t, f.m.Evict("file"))
	}
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
