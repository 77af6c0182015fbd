package cachefs

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

const mib = 1 << 20

// text is a content in which no two places look the same.
func text(seed byte, size int) string {
	content := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(content)
	return string(content)
}

// streaming is a world with a file whose transfer stops where it is told to.
type streaming struct {
	*world
	content string

	mu   sync.Mutex
	left int           // reads of the transfer that pass; < 0: all
	gate chan struct{} // closed to have it go on
	held chan struct{} // closed once it waits
}

func newStreaming(t *testing.T, opts Options, size int) *streaming {
	s := &streaming{world: newWorld(t, opts), content: text(1, size), left: -1}
	s.put("d/f", s.content)
	s.line.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Read {
			s.pass()
		}
		return nil
	})
	t.Cleanup(s.release)
	return s
}

// hold lets some more reads of transfers pass. held is closed when the next one waits.
func (s *streaming) hold(reads int) (held <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left, s.gate, s.held = reads, make(chan struct{}), make(chan struct{})
	return s.held
}

func (s *streaming) pass() {
	s.mu.Lock()
	if s.left != 0 {
		s.left--
		s.mu.Unlock()
		return
	}
	gate := s.gate
	select {
	case <-s.held:
	default:
		close(s.held)
	}
	s.mu.Unlock()
	<-gate
}

func (s *streaming) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gate != nil && s.left == 0 {
		close(s.gate)
	}
	s.left = -1
}

func (s *streaming) open(name string) afero.File {
	f, err := s.fs.Open(name)
	require.NoError(s, err)
	s.Cleanup(func() { _ = f.Close() })
	return f
}

// requireAt checks what is in a file at a place.
func (s *streaming) requireAt(f io.ReaderAt, off, size int) {
	s.Helper()
	got := make([]byte, size)
	n, err := f.ReadAt(got, int64(off))
	if err != io.EOF {
		require.NoError(s, err)
	}
	require.Equal(s, size, n)
	require.True(s, s.content[off:off+size] == string(got), "content at %d", off)
}

// requireRest reads a file to its end.
func (s *streaming) requireRest(f io.Reader, off int) {
	s.Helper()
	got, err := io.ReadAll(f)
	require.NoError(s, err)
	require.True(s, s.content[off:] == string(got), "%d bytes, want %d", len(got), len(s.content)-off)
}

// Bytes are read as they arrive, and what is far ahead is not waited for.
func TestReadingWhileTheFileArrives(t *testing.T) {
	t.Parallel()
	s := newStreaming(t, Options{}, 8*mib)
	held := s.hold(3)
	f := s.open("d/f")
	s.requireAt(f, 0, 1000)
	s.requireAt(f, 64<<10, 1000) // has the rest brought
	<-held
	s.requireAt(f, 300<<10, 1000)
	before := s.line.BytesRead()
	s.requireAt(f, 8*mib-1000, 1000)
	s.requireAt(f, 5*mib, 64<<10)
	require.LessOrEqual(t, s.line.BytesRead()-before, int64(32<<10+64<<10))
	s.requireAsked(0, func() { s.requireAt(f, 5*mib+1000, 1000) }) // is here now
	end, err := f.Seek(0, io.SeekEnd)
	require.NoError(t, err)
	require.Equal(t, int64(8*mib), end)
	other := s.open("d/f") // joins
	s.requireAt(other, 5*mib, 1000)
	s.requireNoLocal("d/f")
	s.release()
	s.requireRest(other, 0)
	_, err = f.Seek(mib, io.SeekStart)
	require.NoError(t, err)
	s.requireRest(f, mib)
	s.requireLocal(s.content, "d/f")
	s.requireNoLeftovers()
	s.requireAsked(0, func() { require.Equal(t, s.content, s.read("d/f")) })
}

func TestManyPlacesAtOnce(t *testing.T) {
	t.Parallel()
	s := newStreaming(t, Options{}, 8*mib)
	f := s.open("d/f")
	var readers sync.WaitGroup
	for i := range 64 {
		readers.Go(func() {
			off := mib + i*100_000
			got := make([]byte, 50_000)
			if _, err := f.ReadAt(got, int64(off)); err != nil || string(got) != s.content[off:off+len(got)] {
				t.Errorf("at %d: %v", off, err)
			}
		})
	}
	readers.Wait()
	require.LessOrEqual(t, s.line.BytesRead(), int64(64<<10+64*50_000), "each byte once")
	s.requireRest(f, 0)
}

// One read in the middle moves no more than it has to.
func TestReadInTheMiddleMovesLittle(t *testing.T) {
	t.Parallel()
	s := newStreaming(t, Options{FillAfterClose: -1}, 32*mib)
	f := s.open("d/f")
	s.requireAt(f, 16*mib, 64<<10)
	require.NoError(t, f.Close())
	require.NoError(t, s.fs.Close())
	require.LessOrEqual(t, s.line.BytesRead(), int64(128<<10))
	s.start()
}

// What little is missing after the last close is fetched.
func TestFillAfterClose(t *testing.T) {
	t.Parallel()
	s := newStreaming(t, Options{FillAfterClose: 3 * mib}, 4*mib)
	held := s.hold(6)
	f := s.open("d/f")
	s.requireAt(f, mib, 1)
	s.requireAt(f, 64<<10, 1)
	<-held
	s.requireAt(f, mib-1, 1)
	require.NoError(t, f.Close()) // 1.06 MiB are here
	s.release()
	require.Eventually(t, func() bool {
		_, err := os.Stat(s.local("d/f"))
		return err == nil
	}, 10*time.Second, time.Millisecond)
	s.requireFetched(0, func() { s.requireRead(s.content, "d/f") })
	require.Equal(t, 2, s.line.Count(faultfs.Open), "one to read ahead")
}

// A fetch that was stopped is resumed, also after a restart, if the version is still the same.
func TestResume(t *testing.T) {
	t.Parallel()
	for name, between := range map[string]func(s *streaming) (kept bool){
		"at once":         func(*streaming) bool { return true },
		"after a restart": func(s *streaming) bool { s.restart(); return true },
		"after two": func(s *streaming) bool {
			s.restart()
			s.restart()
			return true
		},
		"another version": func(s *streaming) bool {
			s.content = text(2, 4*mib)
			s.put("d/f", s.content)
			return false
		},
		"damaged": func(s *streaming) bool {
			require.NoError(s, s.fs.Close())
			entries, err := os.ReadDir(s.local(".syncfs/partial"))
			require.NoError(s, err)
			for _, e := range entries {
				if name := s.local(".syncfs/partial/" + e.Name()); !bytes.HasSuffix([]byte(name), []byte(".json")) {
					f, err := os.OpenFile(name, os.O_WRONLY, 0)
					require.NoError(s, err)
					_, err = f.WriteAt([]byte("damage"), 1000)
					require.NoError(s, err)
					require.NoError(s, f.Close())
				}
			}
			s.start()
			return false
		},
		"evicted": func(s *streaming) bool {
			require.NoError(s, s.fs.Evict("d/f"))
			return false
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStreaming(t, Options{FillAfterClose: -1}, 4*mib)
			held := s.hold(1 + 8)
			f := s.open("d/f")
			s.requireAt(f, 64<<10, 1)
			<-held
			s.requireAt(f, 2*mib, 1)
			require.NoError(t, f.Close())
			s.release()
			s.requireParts(1)
			kept := between(s)
			before := s.line.BytesRead()
			s.requireRead(s.content, "d/f")
			moved := s.line.BytesRead() - before
			if kept {
				require.Less(t, moved, int64(2*mib+500_000), "with a read that was given up")
			} else {
				require.GreaterOrEqual(t, moved, int64(4*mib))
			}
			s.requireLocal(s.content, "d/f")
			s.requireNoLeftovers()
			s.requireParts(0)
		})
	}
}

// requireParts waits until there is a number of partly fetched files.
func (s *streaming) requireParts(want int) {
	s.Helper()
	require.Eventually(s, func() bool {
		entries, err := os.ReadDir(s.local(".syncfs/partial"))
		return err == nil && len(entries) == 2*want
	}, 10*time.Second, time.Millisecond)
}

// Who has read a version gets no other; who has read nothing gets the new one.
func TestVersionChangesWhileItArrives(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(s *streaming, content string){
		"in place": func(s *streaming, content string) { s.put("d/f", content) },
		"shorter":  func(s *streaming, content string) { s.put("d/f", content[:3*mib]) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStreaming(t, Options{}, 4*mib)
			held := s.hold(3)
			began, fresh := s.open("d/f"), s.open("d/f")
			s.requireAt(began, 64<<10, 1)
			<-held
			change(s, text(2, 4*mib))
			now, err := afero.ReadFile(s.remote, "d/f")
			require.NoError(t, err)
			s.release()
			_, err = io.ReadAll(began)
			require.ErrorIs(t, err, ErrChanged)
			requireNames(t, err, "read", "d/f")
			_, err = began.ReadAt(make([]byte, 1), 3*mib-1)
			require.ErrorIs(t, err, ErrChanged, "and stays so")
			s.content = string(now)
			s.requireRest(fresh, 0)
			s.requireOneVersion(s.content, "d/f")
		})
	}
}

// A file that is replaced on the remote is another one: who has opened the first reads that.
func TestFileReplacedWhileItArrives(t *testing.T) {
	t.Parallel()
	s := newStreaming(t, Options{Revalidate: Always}, 4*mib)
	held := s.hold(3)
	f := s.open("d/f")
	s.requireAt(f, 64<<10, 1)
	<-held
	s.put("d/other", text(2, 4*mib))
	require.NoError(t, s.remote.Rename("d/other", "d/f"))
	s.release()
	require.Equal(t, text(2, 4*mib), s.read("d/f"))
	s.requireRest(f, 0)
	s.requireOneVersion(text(2, 4*mib), "d/f")
}

// An error is that of those who wait. Who reads later tries again, and goes on where it was.
func TestErrorIsNotRemembered(t *testing.T) {
	t.Parallel()
	s := newStreaming(t, Options{}, 4*mib)
	held := s.hold(9)
	f := s.open("d/f")
	s.requireAt(f, 64<<10, 1)
	<-held
	s.down()
	s.release()
	_, err := io.ReadAll(f)
	require.ErrorIs(t, err, ErrUnavailable)
	require.ErrorIs(t, err, errDown)
	s.up()
	_, err = f.Seek(0, io.SeekStart)
	require.NoError(t, err)
	s.requireRest(f, 0)
	require.Less(t, s.line.BytesRead(), int64(5*mib))
}

// A handle reads on what it has opened, whatever becomes of the name; and the copy is found where the file is then.
func TestNamesChangeWhileAFileArrives(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do    func(s *streaming) error
		copy  string
		gone  []string
		other string // the content of d/f
	}{
		"rename":       {func(s *streaming) error { return s.fs.Rename("d/f", "g") }, "g", []string{"d/f"}, ""},
		"rename above": {func(s *streaming) error { return s.fs.Rename("d", "e") }, "e/f", []string{"d/f"}, ""},
		"remove":       {func(s *streaming) error { return s.fs.Remove("d/f") }, "", []string{"d/f"}, ""},
		"removeall":    {func(s *streaming) error { return s.fs.RemoveAll("d") }, "", []string{"d/f"}, ""},
		"rename over": {func(s *streaming) error {
			s.put("x", "other")
			return s.fs.Rename("x", "d/f")
		}, "", nil, "other"},
		"made anew": {func(s *streaming) error {
			return errors.Join(s.fs.Remove("d/f"), afero.WriteFile(s.fs, "d/f", []byte("anew"), 0o644))
		}, "", nil, "anew"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStreaming(t, Options{}, 4*mib)
			held := s.hold(3)
			f := s.open("d/f")
			s.requireAt(f, 64<<10, 1)
			<-held
			require.NoError(t, c.do(s))
			s.release()
			if c.other != "" {
				s.requireOneVersion(c.other, "d/f")
			}
			s.requireRest(f, 0)
			fi, err := f.Stat()
			require.NoError(t, err)
			require.Equal(t, int64(len(s.content)), fi.Size())
			require.NoError(t, f.Close())
			for _, gone := range c.gone {
				s.requireNoLocal(gone)
				require.ErrorIs(t, second(s.fs.Stat(gone)), fs.ErrNotExist)
			}
			if c.copy != "" {
				s.requireFetched(0, func() { s.requireOneVersion(s.content, c.copy) })
			}
			if c.other != "" {
				s.requireOneVersion(c.other, "d/f")
			}
			s.requireNoLeftovers()
			s.requireParts(0)
		})
	}
}

// Writing through the Fs waits until its readers have what they opened.
func TestWriteWhileAFileArrives(t *testing.T) {
	t.Parallel()
	s := newStreaming(t, Options{}, 4*mib)
	f := s.open("d/f")
	s.requireAt(f, 0, 1)
	require.NoError(t, s.fs.Chtimes("d/f", time.Unix(1, 0), time.Unix(1, 0)))
	require.NoError(t, afero.WriteFile(s.fs, "d/f", []byte("new"), 0o644))
	s.requireRest(f, 0)
	s.requireOneVersion("new", "d/f")
}

// A full disk is no error for a reader.
func TestNoSpaceWhileAFileArrives(t *testing.T) {
	t.Parallel()
	for _, at := range []int{0, 1, 2, 5, 7} {
		remote := crashfs.New(nil)
		content := text(1, 2*mib)
		put(t, remote, "/f", content, time.Unix(1_000_000_000, 0))
		plan := new(faultfs.Plan)
		local := crashfs.New(nil)
		writes := 0
		c := newFs(t, remote, faultfs.New(local, plan), nil)
		plan.Before(func(op faultfs.Op) error {
			if op.Kind != faultfs.WriteAt || strings.HasPrefix(op.Name, "/.syncfs/log") {
				return nil
			}
			if writes++; writes > at {
				return syscall.ENOSPC
			}
			return nil
		})
		got, err := afero.ReadFile(c, "f")
		require.NoError(t, err, "full at write %d", at)
		require.True(t, content == string(got))
		require.Greater(t, writes, at)
		require.ErrorIs(t, c.Fetch(t.Context(), "f"), syscall.ENOSPC, "Fetch promises a copy")
		for _, dir := range []string{"/.syncfs/tmp", "/.syncfs/partial"} {
			left, err := afero.ReadDir(local, dir)
			require.NoError(t, err)
			require.Empty(t, left, dir)
		}
		plan.Before(nil)
		require.NoError(t, c.Fetch(t.Context(), "f"))
	}
}

// A file that is being written, and is renamed over one of which there is a copy, is read on the remote under its new name until it
// is closed, and not from a copy of its beginning afterwards.
func TestWrittenFileRenamedOverACopy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.put("b", "the copy")
	w.requireRead("the copy", "b")
	f, err := w.fs.Create("a")
	require.NoError(t, err)
	_, err = f.WriteString("the beginning")
	require.NoError(t, err)
	require.NoError(t, second(w.fs.Stat("a")))
	require.NoError(t, w.fs.Rename("a", "b"))
	w.requireRead("the beginning", "b")
	_, err = f.WriteString(" and the end")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	w.requireRead("the beginning and the end", "b")
}
