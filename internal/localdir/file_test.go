package localdir

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFile(t *testing.T) {
	t.Parallel()
	overEach(t, func(t *testing.T, d *Dir) {
		require.NoError(t, d.Mkdir("dir", 0o755))
		f, err := d.OpenFile("dir/file", os.O_RDWR|os.O_CREATE, 0o644)
		require.NoError(t, err)
		defer f.Close()
		check := func(want string) {
			t.Helper()
			info, err := f.Stat()
			require.NoError(t, err)
			require.EqualValues(t, len(want), info.Size())
			require.Equal(t, "file", info.Name)
			got, err := io.ReadAll(io.NewSectionReader(f, 0, 100))
			require.NoError(t, err)
			require.Equal(t, want, string(got))
		}
		writeAt := func(s string, off int64) {
			t.Helper()
			n, err := f.WriteAt([]byte(s), off)
			require.NoError(t, err)
			require.Equal(t, len(s), n)
		}
		check("")
		writeAt("world", 6)
		check("\x00\x00\x00\x00\x00\x00world")
		writeAt("hello ", 0)
		check("hello world")
		writeAt("", 50)
		check("hello world")
		require.NoError(t, f.Truncate(4))
		check("hell")
		require.NoError(t, f.Truncate(6))
		check("hell\x00\x00")
		writeAt("!", 8)
		check("hell\x00\x00\x00\x00!")
		writeAt("o", 4)
		check("hello\x00\x00\x00!")

		for _, tt := range []struct {
			off, n int64
			want   string
			err    error
		}{
			{0, 5, "hello", nil}, {4, 5, "o\x00\x00\x00!", nil}, {4, 6, "o\x00\x00\x00!", io.EOF},
			{9, 1, "", io.EOF}, {1000, 1, "", io.EOF}, {0, 0, "", nil}, {1000, 0, "", nil},
		} {
			p := make([]byte, tt.n)
			n, err := f.ReadAt(p, tt.off)
			require.Equal(t, tt.err, err, "%+v", tt)
			require.Equal(t, tt.want, string(p[:n]), "%+v", tt)
		}
		require.NoError(t, f.Sync())
		_, err = f.ReadAt(make([]byte, 1), -1)
		require.Equal(t, "invalid", class(t, err))
		_, err = f.WriteAt([]byte("x"), -1)
		require.Equal(t, "invalid", class(t, err))
		require.Equal(t, "invalid", class(t, f.Truncate(-1)))
		check("hello\x00\x00\x00!")
	})
}

func TestClosedFile(t *testing.T) {
	t.Parallel()
	overEach(t, func(t *testing.T, d *Dir) {
		f, err := d.OpenFile("file", os.O_RDWR|os.O_CREATE, 0o644)
		require.NoError(t, err)
		require.NoError(t, f.Close())
		_, readErr := f.ReadAt(make([]byte, 1), 0)
		_, writeErr := f.WriteAt(make([]byte, 1), 0)
		_, statErr := f.Stat()
		for _, err := range []error{f.Close(), readErr, writeErr, statErr, f.Truncate(0), f.Sync()} {
			require.ErrorIs(t, err, fs.ErrClosed)
			require.Equal(t, "closed", class(t, err))
		}
	})
}

// TestAccessMode checks that a file does only what it was opened for.
func TestAccessMode(t *testing.T) {
	t.Parallel()
	overEach(t, func(t *testing.T, d *Dir) {
		for _, flag := range []int{os.O_RDONLY, os.O_RDONLY | os.O_CREATE, os.O_WRONLY, os.O_RDWR} {
			write(t, d, "file", "content")
			f, err := d.OpenFile("file", flag, 0o644)
			require.NoError(t, err)
			_, readErr := f.ReadAt(make([]byte, 1), 0)
			_, writeErr := f.WriteAt([]byte("C"), 0)
			truncErr := f.Truncate(7)
			require.NoError(t, f.Close())

			access := flag & accessMode
			require.Equal(t, access != os.O_WRONLY, readErr == nil, "%#x: %v", flag, readErr)
			require.Equal(t, access != os.O_RDONLY, writeErr == nil, "%#x: %v", flag, writeErr)
			require.Equal(t, access != os.O_RDONLY, truncErr == nil, "%#x: %v", flag, truncErr)
			want := "Content"
			if access == os.O_RDONLY {
				want = "content"
			}
			require.Equal(t, want, read(t, d, "file"))
		}
	})
}

func TestTruncateOnOpen(t *testing.T) {
	t.Parallel()
	overEach(t, func(t *testing.T, d *Dir) {
		for _, access := range []int{os.O_RDONLY, os.O_WRONLY, os.O_RDWR} {
			write(t, d, "file", "content")
			f, err := d.OpenFile("file", access|os.O_TRUNC, 0)
			require.NoError(t, err)
			require.NoError(t, f.Close())
			require.Empty(t, read(t, d, "file"))
		}
	})
}

// TestOpenFileOutlivesItsName checks that a handle belongs to the file, not to the name.
func TestOpenFileOutlivesItsName(t *testing.T) {
	t.Parallel()
	overEach(t, func(t *testing.T, d *Dir) {
		open := func(name string) *File {
			f, err := d.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
			require.NoError(t, err)
			_, err = f.WriteAt([]byte(name), 0)
			require.NoError(t, err)
			return f
		}
		content := func(f *File) string {
			b, err := io.ReadAll(io.NewSectionReader(f, 0, 100))
			require.NoError(t, err)
			return string(b)
		}
		old, replaced, removed := open("old"), open("replaced"), open("removed")
		require.NoError(t, d.Rename("old", "replaced"))
		require.NoError(t, d.Remove("removed"))
		write(t, d, "removed", "again")
		require.Equal(t, "old", content(old))
		require.Equal(t, "replaced", content(replaced))
		require.Equal(t, "removed", content(removed))
		_, err := old.WriteAt([]byte("OLD"), 0)
		require.NoError(t, err)
		require.NoError(t, replaced.Close())
		require.NoError(t, removed.Close())
		require.NoError(t, old.Close())
		require.Equal(t, "OLD", read(t, d, "replaced"))
		require.Equal(t, "again", read(t, d, "removed"))
	})
}

// TestConcurrentFile uses one File from many goroutines, each on a part of its own.
func TestConcurrentFile(t *testing.T) {
	t.Parallel()
	overEach(t, func(t *testing.T, d *Dir) {
		f, err := d.OpenFile("file", os.O_RDWR|os.O_CREATE, 0o644)
		require.NoError(t, err)
		const workers, size = 8, 1000
		require.NoError(t, f.Truncate(workers*size))
		var wg sync.WaitGroup
		for i := range workers {
			wg.Go(func() {
				off := int64(i * size)
				got := make([]byte, size)
				for round := range 20 {
					want := bytes.Repeat([]byte{byte(i*20 + round)}, size)
					if _, err := f.WriteAt(want, off); err != nil {
						t.Error(err)
					}
					if _, err := f.ReadAt(got, off); err != nil || !bytes.Equal(want, got) {
						t.Error("read back something else", err)
					}
					other, err := d.OpenFile("file", os.O_RDWR, 0)
					if err != nil {
						t.Error(err)
						return
					}
					if _, err := other.ReadAt(got, off); err != nil || !bytes.Equal(want, got) {
						t.Error("another handle sees something else", err)
					}
					_, _ = f.Stat()
					other.Close()
				}
			})
		}
		wg.Wait()
		require.NoError(t, f.Close())
	})
}
