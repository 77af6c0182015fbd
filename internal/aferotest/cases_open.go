package aferotest

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/stretchr/testify/require"
)

const before = "old content"

// openCases tests every combination of open flags that POSIX specifies, on a missing name, a file and a directory.
func openCases() []Case {
	var cases []Case
	for _, access := range []int{os.O_RDONLY, os.O_WRONLY, os.O_RDWR} {
		for _, create := range []int{0, os.O_CREATE, os.O_CREATE | os.O_EXCL} {
			for _, trunc := range []int{0, os.O_TRUNC} {
				for _, app := range []int{0, os.O_APPEND} {
					if access == os.O_RDONLY && trunc != 0 {
						continue // unspecified
					}
					cases = append(cases, openCase(access|create|trunc|app)...)
				}
			}
		}
	}
	return cases
}

func openCase(flag int) []Case {
	var needs []Capability
	if flag&os.O_EXCL != 0 {
		needs = append(needs, ExclusiveCreate)
	}
	name := "open/" + flagName(flag)
	return []Case{
		{name + "/missing", needs, func(c *C) { openMissing(c, flag) }},
		{name + "/file", needs, func(c *C) { openFile(c, flag) }},
		{name + "/directory", needs, func(c *C) { openDir(c, flag) }},
	}
}

func flagName(flag int) string {
	parts := []string{"rdonly"}
	switch {
	case flag&os.O_RDWR != 0:
		parts[0] = "rdwr"
	case flag&os.O_WRONLY != 0:
		parts[0] = "wronly"
	}
	for _, f := range []struct {
		bit  int
		name string
	}{{os.O_CREATE, "create"}, {os.O_EXCL, "excl"}, {os.O_TRUNC, "trunc"}, {os.O_APPEND, "append"}} {
		if flag&f.bit != 0 {
			parts = append(parts, f.name)
		}
	}
	return strings.Join(parts, "+")
}

func readable(flag int) bool { return flag&os.O_WRONLY == 0 }
func writable(flag int) bool { return flag&(os.O_WRONLY|os.O_RDWR) != 0 }

func openMissing(c *C, flag int) {
	if flag&os.O_CREATE == 0 {
		c.pathErr(c.openErr("f", flag), "open", "f", fs.ErrNotExist)
		c.missing("f")
		return
	}
	f := c.open("f", flag)
	c.holds("f", "")
	useHandle(c, f, flag, "")
}

func openFile(c *C, flag int) {
	c.write("f", before)
	if flag&os.O_EXCL != 0 {
		c.pathErr(c.openErr("f", flag), "open", "f", fs.ErrExist)
		c.holds("f", before)
		return
	}
	f := c.open("f", flag)
	content := before
	if flag&os.O_TRUNC != 0 {
		content = ""
	}
	c.holds("f", content)
	useHandle(c, f, flag, content)
}

// useHandle reads and writes through f, which is at offset 0 of a file with this content, and checks what its flags
// permit.
func useHandle(c *C, f interface {
	io.ReadSeeker
	io.WriteCloser
}, flag int, content string) {
	got, err := io.ReadAll(f)
	if readable(flag) {
		require.NoError(c, err)
		require.Equal(c, content, string(got))
	} else {
		c.unspecific(err)
		require.Empty(c, got)
	}
	_, err = f.Seek(0, io.SeekStart)
	require.NoError(c, err)
	n, err := f.Write([]byte("NEW"))
	if writable(flag) {
		require.NoError(c, err)
		require.Equal(c, 3, n)
		if flag&os.O_APPEND != 0 {
			content += "NEW"
		} else {
			content = "NEW" + content[min(3, len(content)):]
		}
	} else {
		c.unspecific(err)
		require.Zero(c, n)
	}
	require.NoError(c, f.Close())
	c.holds("f", content)
}

func openDir(c *C, flag int) {
	c.mkdir("f")
	f, err := c.Fs.OpenFile("f", flag, 0o644)
	if err == nil {
		c.track(f)
	}
	switch {
	case flag&os.O_EXCL != 0:
		c.pathErr(err, "open", "f", fs.ErrExist)
	case writable(flag):
		c.pathErr(err, "open", "f", nil)
		c.unspecific(err)
	case flag&os.O_CREATE != 0: // an error on Linux, a directory on other systems
		require.False(c, errors.Is(err, fs.ErrNotExist))
	default:
		require.NoError(c, err)
		list, err := f.Readdirnames(-1)
		require.NoError(c, err)
		require.Empty(c, list)
		require.NoError(c, f.Close())
	}
	c.isDir("f")
	c.lists("f")
}
