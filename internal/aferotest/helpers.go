package aferotest

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

// The methods below are the vocabulary of the cases. Each ends the case if its operation fails.

// open opens name. The file is closed at the end of the case at the latest.
func (c *C) open(name string, flag int) afero.File {
	f, err := c.Fs.OpenFile(name, flag, 0o644)
	require.NoError(c, err, "open %q", name)
	require.NotNil(c, f)
	return c.track(f)
}

// openErr opens name, which must fail and return no file.
func (c *C) openErr(name string, flag int) error {
	f, err := c.Fs.OpenFile(name, flag, 0o644)
	if err == nil {
		c.track(f)
	}
	require.Error(c, err, "open %q", name)
	c.isNil(f)
	return err
}

// write makes name a file with this content, with one handle.
func (c *C) write(name, content string) {
	f := c.open(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	c.put(f, content)
	require.NoError(c, f.Close())
}

// put writes content at the offset of f.
func (c *C) put(f afero.File, content string) {
	n, err := f.WriteString(content)
	require.NoError(c, err)
	require.Equal(c, len(content), n)
}

// isNil checks that a result beside an error is nil. An interface that holds a nil pointer is not, and programs compare
// it.
func (c *C) isNil(beside any) {
	if beside != nil {
		c.Errorf("a %T that is not nil beside an error", beside)
		c.FailNow()
	}
}

// rest returns the content of f from its offset on.
func (c *C) rest(f afero.File) string {
	b, err := io.ReadAll(f)
	require.NoError(c, err)
	return string(b)
}

// all returns the whole content of f.
func (c *C) all(f afero.File) string {
	_, err := f.Seek(0, io.SeekStart)
	require.NoError(c, err)
	return c.rest(f)
}

// read returns the content of name, with a handle of its own.
func (c *C) read(name string) string {
	f := c.open(name, os.O_RDONLY)
	s := c.rest(f)
	require.NoError(c, f.Close())
	return s
}

// holds checks that name is a file with this content, and that Stat agrees.
func (c *C) holds(name, content string) {
	require.Equal(c, content, c.read(name), "content of %q", name)
	fi := c.stat(name)
	require.True(c, fi.Mode().IsRegular(), "%q is %v", name, fi.Mode())
	require.EqualValues(c, len(content), fi.Size(), "size of %q", name)
}

func (c *C) close(f afero.File) { require.NoError(c, f.Close()) }

func (c *C) mkdir(name string) { require.NoError(c, c.Fs.Mkdir(name, 0o755)) }

func (c *C) mkdirAll(name string) { require.NoError(c, c.Fs.MkdirAll(name, 0o755)) }

func (c *C) rename(from, to string) { require.NoError(c, c.Fs.Rename(from, to)) }

func (c *C) remove(name string) { require.NoError(c, c.Fs.Remove(name)) }

func (c *C) stat(name string) fs.FileInfo {
	fi, err := c.Fs.Stat(name)
	require.NoError(c, err)
	require.NotNil(c, fi)
	return fi
}

func (c *C) lstat(name string) fs.FileInfo {
	fi, err := lstat(c.Fs, name)
	require.NoError(c, err)
	require.NotNil(c, fi)
	return fi
}

func (c *C) link(target, name string) {
	require.NoError(c, symlink(c.Fs, target, name), "link %q to %q", name, target)
}

// target checks that name is a symbolic link to target.
func (c *C) target(name, target string) {
	require.Equal(c, fs.ModeSymlink, c.lstat(name).Mode().Type(), "type of %q", name)
	got, err := readlink(c.Fs, name)
	require.NoError(c, err)
	require.Equal(c, target, got, "target of %q", name)
}

func (c *C) isDir(name string) {
	fi := c.stat(name)
	require.True(c, fi.IsDir(), "%q is %v", name, fi.Mode())
}

// missing checks that the names do not exist, with Lstat, Stat and Open.
func (c *C) missing(names ...string) {
	for _, name := range names {
		fi, err := lstat(c.Fs, name)
		require.ErrorIs(c, err, fs.ErrNotExist, "%q is there: %v", name, fi)
		fi, err = c.Fs.Stat(name)
		require.ErrorIs(c, err, fs.ErrNotExist, "%q is there: %v", name, fi)
		require.ErrorIs(c, c.openErr(name, os.O_RDONLY), fs.ErrNotExist)
	}
}

// names returns the sorted listing of the directory name, with a handle of its own.
func (c *C) names(name string) []string {
	f := c.open(name, os.O_RDONLY)
	list, err := f.Readdirnames(-1)
	require.NoError(c, err)
	require.NoError(c, f.Close())
	slices.Sort(list)
	return list
}

// lists checks the listing of the directory name. want must be sorted.
func (c *C) lists(name string, want ...string) {
	require.Equal(c, append([]string{}, want...), append([]string{}, c.names(name)...), "listing of %q", name)
}

// pathErr checks that err is an *fs.PathError of this operation and name, and that it matches the sentinel, unless that
// is nil. If op is "", any operation will do.
func (c *C) pathErr(err error, op, name string, sentinel error) {
	require.Error(c, err)
	var pe *fs.PathError
	require.ErrorAs(c, err, &pe)
	require.NotEmpty(c, pe.Op)
	if op != "" {
		require.Equal(c, op, pe.Op)
	}
	require.Equal(c, name, pe.Path)
	if sentinel != nil {
		require.ErrorIs(c, err, sentinel)
	}
}

// linkErr is pathErr for an *os.LinkError.
func (c *C) linkErr(err error, op, oldname, newname string, sentinel error) {
	require.Error(c, err)
	var le *os.LinkError
	require.ErrorAs(c, err, &le)
	require.Equal(c, op, le.Op)
	require.Equal(c, oldname, le.Old)
	require.Equal(c, newname, le.New)
	if sentinel != nil {
		require.ErrorIs(c, err, sentinel)
	}
}

// unspecific checks that err is none of the errors on which a program branches. It is for cases in which package os
// returns an errno without a sentinel.
func (c *C) unspecific(err error) {
	require.Error(c, err)
	require.NotErrorIs(c, err, fs.ErrNotExist)
	require.NotErrorIs(c, err, fs.ErrClosed)
}

// invalid checks for fs.ErrInvalid or EINVAL, which package os does not equate.
func (c *C) invalid(err error) {
	require.Error(c, err)
	if class := classOf(err); class != invalid {
		c.Errorf("%v is %q, want %q", err, class, invalid)
		c.FailNow()
	}
}

// needs returns a list of capabilities.
func needs(list ...Capability) []Capability { return list }

// pattern returns n bytes without a short period, so that a block in the wrong place is detected.
func pattern(n int) []byte {
	b := make([]byte, n)
	x := uint32(2463534242)
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x)
	}
	return b
}

var errReader = errors.New("reader failed")

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errReader }
