package download

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// cursored is a remote whose files move their position when they are read elsewhere, as those of afero.MemMapFs do.
type cursored struct{ afero.Fs }

func (c cursored) Open(name string) (afero.File, error) {
	f, err := c.Fs.Open(name)
	return &cursoredFile{File: f}, err
}

type cursoredFile struct{ afero.File }

func (f *cursoredFile) ReadAt(p []byte, off int64) (int, error) {
	if _, err := f.Seek(off, io.SeekStart); err != nil {
		return 0, err
	}
	return f.Read(p)
}

// sequential is a remote whose files cannot be read but in order.
type sequential struct{ afero.Fs }

func (s sequential) Open(name string) (afero.File, error) {
	f, err := s.Fs.Open(name)
	return sequentialFile{f}, err
}

type sequentialFile struct{ afero.File }

func (sequentialFile) ReadAt([]byte, int64) (int, error) { return -1, os.ErrInvalid }

// Whatever a remote's files are like, what is read at many places at once is right.
func TestReadAtManyPlacesOfAnyRemote(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat(large, 20)
	for name, over := range map[string]func(afero.Fs) afero.Fs{
		"plain":      func(remote afero.Fs) afero.Fs { return remote },
		"cursored":   func(remote afero.Fs) afero.Fs { return cursored{remote} },
		"sequential": func(remote afero.Fs) afero.Fs { return sequential{remote} },
		"directory": func(afero.Fs) afero.Fs {
			dir := afero.NewBasePathFs(afero.NewOsFs(), t.TempDir())
			require.NoError(t, afero.WriteFile(dir, "/file", content, 0o644))
			return dir
		},
		"memory below a base": func(afero.Fs) afero.Fs {
			memory := afero.NewBasePathFs(afero.NewMemMapFs(), "/base")
			require.NoError(t, afero.WriteFile(memory, "/file", content, 0o644))
			return memory
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newRig(t, func(remote afero.Fs) afero.Fs {
				require.NoError(t, afero.WriteFile(remote, "/file", content, 0o644))
				return over(remote)
			}, asItIs)
			r := f.open()
			var readers sync.WaitGroup
			for i := range 32 {
				readers.Go(func() {
					p, off := make([]byte, 50_001), 90_000*((i*7)%32)
					if _, err := r.ReadAt(p, int64(off)); err != nil || !bytes.Equal(p, content[off:off+len(p)]) {
						t.Errorf("at %d: %v", off, err)
					}
				})
			}
			readers.Go(func() {
				got := make([]byte, len(content)+1)
				if n, err := r.ReadAt(got, 0); err != io.EOF || !bytes.Equal(content, got[:n]) {
					t.Errorf("%d bytes, %v", n, err)
				}
			})
			readers.Wait()
			r.close()
			f.has(content)
		})
	}
}

// oneReaderEach are remotes whose files are read by one reader at a time.
var oneReaderEach = map[string]func(afero.Fs) afero.Fs{
	"plain":      asItIs,
	"cursored":   func(remote afero.Fs) afero.Fs { return cursored{remote} },
	"sequential": func(remote afero.Fs) afero.Fs { return sequential{remote} },
}

// Where there is no room, such remotes are read nevertheless.
func TestReadWithoutRoomOfAnyRemote(t *testing.T) {
	t.Parallel()
	for name, over := range oneReaderEach {
		f := newRig(t, over, asItIs)
		f.room = 1000
		r := f.open()
		for _, off := range []int{len(large) - 100, 0, len(large)} {
			got := make([]byte, len(large)+1)
			n, err := r.ReadAt(got, int64(off))
			require.Equal(t, io.EOF, err, name)
			require.Equal(t, large[off:], got[:n], name)
		}
		size, err := r.d.Size(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, len(large), size)
		require.ErrorIs(t, r.d.Failure(), ErrNoRoom)
		r.close()
		f.has()
	}
}

// Reads without room that are given up leave no file open on the remote, whether they were opening or reading it.
func TestReadWithoutRoomIsGivenUp(t *testing.T) {
	t.Parallel()
	plan := new(faultfs.Plan)
	f := newRig(t, func(remote afero.Fs) afero.Fs { return faultfs.New(remote, plan) }, asItIs)
	f.room = 1000
	r := f.open()
	_, err := r.ReadAt(make([]byte, 10), 0)
	require.NoError(t, err)
	began, goOn := make(chan faultfs.Kind), make(chan struct{})
	plan.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Open || op.Kind == faultfs.ReadAt {
			began <- op.Kind
			<-goOn
		}
		return nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for _, want := range []faultfs.Kind{faultfs.ReadAt, faultfs.Open} { // the first one has the only open file
		readers.Go(func() {
			_, err := r.d.Read(ctx, new(Reader), make([]byte, 10), 100)
			require.ErrorIs(t, err, context.Canceled)
		})
		require.Equal(t, want, <-began)
	}
	cancel()
	readers.Wait()
	r.close()
	plan.Heal()
	close(goOn)
	require.Eventually(t, func() bool { return len(plan.OpenFiles()) == 0 }, wait, tick)
}

// A disk that fills while ranges are read is as if there had been no room from the start.
func TestReadWhileTheDiskFills(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat(large, 64)
	for name, over := range oneReaderEach {
		for _, written := range []int{0, 1, 3, 17, 20, 40} {
			t.Run(fmt.Sprint(name, written), func(t *testing.T) {
				t.Parallel()
				plan := new(faultfs.Plan)
				f := newRig(t, func(remote afero.Fs) afero.Fs {
					require.NoError(t, afero.WriteFile(remote, "/file", content, 0o644))
					return over(remote)
				}, func(disk afero.Fs) afero.Fs { return faultfs.New(disk, plan) })
				ctx, cancel := context.WithTimeout(t.Context(), wait)
				defer cancel()
				f.ctx = ctx
				var writes atomic.Int64
				plan.Before(func(op faultfs.Op) error {
					if op.Kind == faultfs.WriteAt && writes.Add(1) > int64(written) {
						return syscall.ENOSPC
					}
					return nil
				})
				r := f.open()
				var readers sync.WaitGroup
				for i := range 32 {
					readers.Go(func() {
						p, off := make([]byte, 50_001), len(content)/33*(32-i)
						if _, err := r.ReadAt(p, int64(off)); err != nil || !bytes.Equal(p, content[off:off+len(p)]) {
							t.Errorf("at %d: %v", off, err)
						}
					})
				}
				readers.Wait()
				got := make([]byte, len(content)+1)
				n, err := r.ReadAt(got, 0)
				require.Equal(t, io.EOF, err)
				require.True(t, bytes.Equal(content, got[:n]))
				r.close()
				f.has()
			})
		}
	}
}

// gated is a remote whose files are opened, and read on from the start, when it says.
type gated struct {
	afero.Fs
	opened chan struct{} // closed to let files be opened
	read   chan struct{} // closed to let them be read behind the first bytes
}

func newGated(t *testing.T) (*rig, gated) {
	g := gated{opened: make(chan struct{}), read: make(chan struct{})}
	r := newRig(t, func(fsys afero.Fs) afero.Fs {
		g.Fs = fsys
		return g
	}, asItIs)
	return r, g
}

func (g gated) Open(name string) (afero.File, error) {
	<-g.opened
	f, err := g.Fs.Open(name)
	if err != nil {
		return nil, err
	}
	return &gatedFile{File: f, g: g}, nil
}

type gatedFile struct {
	afero.File
	g     gated
	reads atomic.Int32
}

func (f *gatedFile) ReadsAtOnce() bool { return true }

func (f *gatedFile) Read(p []byte) (int, error) {
	if f.reads.Add(1) > 1 {
		<-f.g.read
	}
	return f.File.Read(p)
}

// What is far ahead is read before what comes in between; the last byte only if the version is still the same.
func TestReadFarAhead(t *testing.T) {
	t.Parallel()
	r, g := newGated(t)
	close(g.opened)
	h := r.open()
	p := make([]byte, 100)
	_, err := h.ReadAt(p, 120_000)
	require.NoError(t, err)
	require.Equal(t, large[120_000:120_100], p)
	_, err = h.ReadAt(p, 120_100) // goes on
	require.NoError(t, err)
	n, err := h.ReadAt(p, int64(len(large)-50))
	require.Equal(t, io.EOF, err)
	require.Equal(t, large[len(large)-50:], p[:n])
	_, err = h.ReadAt(p, int64(len(large)))
	require.Equal(t, io.EOF, err)

	progress, known := h.d.Progress()
	require.True(t, known)
	require.Greater(t, progress.Here, h.d.Arrived())

	_, err = h.ReadAt(p, int64(len(large)-60)) // is here
	require.Equal(t, io.EOF, err)
	require.NoError(t, afero.WriteFile(r.remote, "/file", []byte("another one"), 0o644))
	_, err = h.ReadAt(p, 0)
	require.NoError(t, err, "that was here before")
	_, err = h.ReadAt(p, int64(len(large)-60))
	require.ErrorIs(t, err, ErrChanged)
	close(g.read)
	<-h.d.Closed
	require.ErrorIs(t, h.d.Failure(), ErrChanged)
	_, err = h.ReadAt(p, 0)
	require.NoError(t, err)
	_, err = h.ReadAt(p, int64(len(large)))
	require.ErrorIs(t, err, ErrChanged)
	h.close()
	r.has()
}

// Whoever reads is given what the owner has instead, at whatever stage.
func TestHandedOver(t *testing.T) {
	t.Parallel()
	for _, stage := range []string{"opening", "begun", "read far ahead"} {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			r, g := newGated(t)
			h := r.open()
			p := make([]byte, 10)
			switch stage {
			case "begun":
				close(g.opened)
				<-h.d.Begun
				require.NotNil(t, h.d.Current())
			case "read far ahead":
				close(g.opened)
				_, err := h.ReadAt(p, 120_000)
				require.NoError(t, err)
			}
			require.NoError(t, afero.WriteFile(r.disk, "/other", []byte("other"), 0o644))
			other, err := r.local.OpenFile("other", os.O_RDONLY, 0)
			require.NoError(t, err)
			require.False(t, h.d.HandedOver())
			h.d.HandOver(other)
			require.True(t, h.d.HandedOver())
			n, err := h.ReadAt(p, 0)
			require.Equal(t, io.EOF, err)
			require.Equal(t, "other", string(p[:n]))
			if stage == "opening" {
				close(g.opened)
			}
			close(g.read)
			<-h.d.Done
			require.ErrorIs(t, h.d.Result(), ErrSuperseded)
			require.NoError(t, h.d.Failure())
			size, err := h.d.Size(t.Context())
			require.NoError(t, err)
			require.EqualValues(t, 5, size)
			h.close()
			r.has()
		})
	}
}

// A reader gives up; the others go on.
func TestReaderGivesUp(t *testing.T) {
	t.Parallel()
	r, g := newGated(t)
	h := r.open()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := h.d.Read(ctx, &Reader{}, make([]byte, 10), 0)
	require.ErrorIs(t, err, context.Canceled)
	_, err = h.d.Size(ctx)
	require.ErrorIs(t, err, context.Canceled)
	close(g.opened)
	close(g.read)
	_, err = h.ReadAt(make([]byte, 10), 100_000)
	require.NoError(t, err)
	h.close()
	r.has()
}
