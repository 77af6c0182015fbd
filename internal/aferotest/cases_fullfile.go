package aferotest

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// fullFile has the methods that *os.File has in addition to those of afero.File.
type fullFile interface {
	fs.ReadDirFile
	io.ReaderFrom
	io.WriterTo
	io.StringWriter
}

func (c *C) full(name string, flag int) fullFile {
	c.Helper()
	f, ok := c.open(name, flag).(fullFile)
	require.True(c, ok, "has not all methods of *os.File")
	return f
}

func (c *C) offset(f any, want int64) {
	c.Helper()
	at, err := f.(io.Seeker).Seek(0, io.SeekCurrent)
	require.NoError(c, err)
	require.Equal(c, want, at)
}

// fullFileCases test the methods that programs find with a type assertion.
func fullFileCases() []Case {
	full := needs(FullFiles)
	return []Case{
		{"readdir/entries-are-those-of-lstat", full, func(c *C) {
			c.mkdir("d")
			c.mkdir("d/sub")
			c.write("d/f", "abc")
			entries, err := c.full("d", os.O_RDONLY).ReadDir(-1)
			require.NoError(c, err)
			require.Len(c, entries, 2)
			for _, e := range entries {
				want := c.lstat("d/" + e.Name())
				fi, err := e.Info()
				require.NoError(c, err)
				require.Equal(c, want.Name(), fi.Name())
				require.Equal(c, want.Mode(), fi.Mode())
				require.True(c, want.ModTime().Equal(fi.ModTime()))
				require.Equal(c, want.Mode().Type(), e.Type())
				require.Equal(c, want.IsDir(), e.IsDir())
			}
		}},
		{"readdir/link-entry", needs(FullFiles, Links), func(c *C) {
			c.mkdir("d")
			c.link("nowhere", "d/l")
			entries, err := c.full("d", os.O_RDONLY).ReadDir(0)
			require.NoError(c, err)
			require.Len(c, entries, 1)
			require.Equal(c, fs.ModeSymlink, entries[0].Type())
		}},
		{"readdir/entries-paged", full, func(c *C) {
			c.mkdir("d")
			for _, name := range []string{"a", "b", "c"} {
				c.write("d/"+name, name)
			}
			f := c.full("d", os.O_RDONLY)
			seen := map[string]bool{}
			for _, want := range []int{2, 1} {
				entries, err := f.ReadDir(2)
				require.NoError(c, err)
				require.Len(c, entries, want)
				for _, e := range entries {
					seen[e.Name()] = true
				}
			}
			entries, err := f.ReadDir(2)
			require.Equal(c, io.EOF, err)
			require.NotNil(c, entries)
			require.Empty(c, entries)
			require.Equal(c, map[string]bool{"a": true, "b": true, "c": true}, seen)
			entries, err = f.ReadDir(-1)
			require.NoError(c, err)
			require.Empty(c, entries)
		}},
		{"readdir/entries-of-a-file", full, func(c *C) {
			c.write("f", "abc")
			_, err := c.full("f", os.O_RDONLY).ReadDir(-1)
			require.Equal(c, notDir, classOf(err), "%v", err)
			var pathErr *fs.PathError
			require.ErrorAs(c, err, &pathErr)
			require.Equal(c, "f", pathErr.Path)
		}},
		{"readfrom/moves-the-offset", full, func(c *C) {
			f := c.full("f", os.O_RDWR|os.O_CREATE)
			n, err := f.ReadFrom(onlyReader{strings.NewReader("abc")})
			require.NoError(c, err)
			require.EqualValues(c, 3, n)
			_, err = f.WriteString("d")
			require.NoError(c, err)
			n, err = f.ReadFrom(strings.NewReader("ef"))
			require.NoError(c, err)
			require.EqualValues(c, 2, n)
			c.offset(f, 6)
			c.holds("f", "abcdef")
		}},
		{"readfrom/large", full, func(c *C) {
			content := pattern(1<<20 + 1)
			f := c.full("f", os.O_WRONLY|os.O_CREATE)
			n, err := f.ReadFrom(iotest.HalfReader(bytes.NewReader(content)))
			require.NoError(c, err)
			require.EqualValues(c, len(content), n)
			require.NoError(c, f.Close())
			require.True(c, c.read("f") == string(content))
		}},
		{"readfrom/appends", needs(FullFiles, AtomicAppend), func(c *C) {
			c.write("f", "abc")
			n, err := c.full("f", os.O_WRONLY|os.O_APPEND).ReadFrom(strings.NewReader("def"))
			require.NoError(c, err)
			require.EqualValues(c, 3, n)
			c.holds("f", "abcdef")
		}},
		{"readfrom/error-of-the-reader", full, func(c *C) {
			failed := errors.New("of the reader")
			f := c.full("f", os.O_WRONLY|os.O_CREATE)
			n, err := f.ReadFrom(io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(failed)))
			require.Equal(c, failed, err)
			require.EqualValues(c, 3, n)
			require.NoError(c, f.Close())
			c.holds("f", "abc")
		}},
		{"readfrom/read-only-handle", full, func(c *C) {
			c.write("f", "abc")
			_, err := c.full("f", os.O_RDONLY).ReadFrom(strings.NewReader("x"))
			require.Equal(c, badHandle, classOf(err), "%v", err)
			c.holds("f", "abc")
		}},
		{"readfrom/directory", full, func(c *C) {
			c.mkdir("d")
			_, err := c.full("d", os.O_RDONLY).ReadFrom(strings.NewReader("x"))
			require.Equal(c, badHandle, classOf(err), "%v", err)
		}},
		{"writeto/moves-the-offset", full, func(c *C) {
			c.write("f", "abcdef")
			f := c.full("f", os.O_RDONLY)
			_, err := io.ReadFull(f, make([]byte, 2))
			require.NoError(c, err)
			var out strings.Builder
			n, err := f.WriteTo(&out)
			require.NoError(c, err)
			require.EqualValues(c, 4, n)
			require.Equal(c, "cdef", out.String())
			c.offset(f, 6)
			n, err = f.WriteTo(&out)
			require.NoError(c, err)
			require.Zero(c, n)
		}},
		{"writeto/large", full, func(c *C) {
			content := pattern(1<<20 + 1)
			c.write("f", string(content))
			var out bytes.Buffer
			n, err := c.full("f", os.O_RDONLY).WriteTo(&out)
			require.NoError(c, err)
			require.EqualValues(c, len(content), n)
			require.True(c, bytes.Equal(content, out.Bytes()))
		}},
		{"writeto/write-only-handle", full, func(c *C) {
			c.write("f", "abc")
			_, err := c.full("f", os.O_WRONLY).WriteTo(io.Discard)
			require.Equal(c, badHandle, classOf(err), "%v", err)
		}},
		{"writeto/directory", full, func(c *C) {
			c.mkdir("d")
			_, err := c.full("d", os.O_RDONLY).WriteTo(io.Discard)
			require.Equal(c, isDir, classOf(err), "%v", err)
		}},
		{"writeto/error-of-the-writer", full, func(c *C) {
			c.write("f", "abc")
			failed := errors.New("of the writer")
			_, err := c.full("f", os.O_RDONLY).WriteTo(failingWriter{failed})
			require.Equal(c, failed, err)
		}},
		{"fullfile/closed", full, func(c *C) {
			c.write("f", "abc")
			c.mkdir("d")
			f, d := c.full("f", os.O_RDWR), c.full("d", os.O_RDONLY)
			require.NoError(c, f.Close())
			require.NoError(c, d.Close())
			for _, file := range []fullFile{f, d} {
				_, err := file.ReadDir(-1)
				require.Error(c, err) // package os has a sentinel of its own here
				_, err = file.ReadFrom(strings.NewReader("x"))
				require.ErrorIs(c, err, fs.ErrClosed)
				_, err = file.WriteTo(io.Discard)
				require.ErrorIs(c, err, fs.ErrClosed)
			}
		}},
		{"fullfile/walk-as-hugo-does", full, func(c *C) {
			c.mkdirAll("d/sub")
			c.write("d/sub/f", "abc")
			var names []string
			var walk func(dir string)
			walk = func(dir string) {
				f, err := c.Fs.Open(dir)
				require.NoError(c, err)
				defer f.Close()
				entries, err := f.(fs.ReadDirFile).ReadDir(-1)
				require.NoError(c, err)
				for _, e := range entries {
					names = append(names, dir+"/"+e.Name())
					if e.IsDir() {
						walk(dir + "/" + e.Name())
					}
				}
			}
			walk("d")
			require.Equal(c, []string{"d/sub", "d/sub/f"}, names)
		}},
	}
}

// onlyReader hides all other methods of a reader.
type onlyReader struct{ io.Reader }

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }
