package aferotest

import (
	"errors"
	"io/fs"
	"os"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

// errorCases makes every method fail in the same way with several spellings of a name, which the error must repeat.
func errorCases() []Case {
	var cases []Case
	for _, m := range []struct {
		method, op string
		call       func(fsys afero.Fs, name string) error
	}{
		{"open", "open", func(fsys afero.Fs, name string) error {
			f, err := fsys.Open(name)
			return fileBeside(f, err)
		}},
		{"openfile", "open", func(fsys afero.Fs, name string) error {
			f, err := fsys.OpenFile(name, os.O_RDWR, 0o644)
			return fileBeside(f, err)
		}},
		{"create", "open", func(fsys afero.Fs, name string) error {
			f, err := fsys.Create(name + "/f")
			return trimmed(fileBeside(f, err), "/f")
		}},
		{"stat", "", func(fsys afero.Fs, name string) error { _, err := fsys.Stat(name); return err }},
		{"mkdir", "mkdir", func(fsys afero.Fs, name string) error {
			return trimmed(fsys.Mkdir(name+"/d", 0o755), "/d")
		}},
		{"remove", "remove", func(fsys afero.Fs, name string) error { return fsys.Remove(name) }},
		{"chmod", "chmod", func(fsys afero.Fs, name string) error { return fsys.Chmod(name, 0o600) }},
		{"chown", "chown", func(fsys afero.Fs, name string) error { return fsys.Chown(name, os.Getuid(), os.Getgid()) }},
		{"chtimes", "chtimes", func(fsys afero.Fs, name string) error { return fsys.Chtimes(name, past, past) }},
	} {
		for _, n := range []struct{ what, name string }{
			{"relative", "no"}, {"absolute", "/no"}, {"dots", "d/../no"}, {"deep", "d/no/no"},
		} {
			cases = append(cases, Case{"error/" + m.method + "/" + n.what, nil, func(c *C) {
				c.mkdir("d")
				c.pathErr(m.call(c.Fs, n.name), m.op, n.name, fs.ErrNotExist)
				c.lists("/", "d")
				c.lists("d")
			}})
		}
	}
	return append(cases,
		Case{"error/rename/as-passed", nil, func(c *C) {
			c.linkErr(c.Fs.Rename("/a/../no", "./b"), "rename", "/a/../no", "./b", fs.ErrNotExist)
		}},
		Case{"error/text-names-the-path-once", nil, func(c *C) {
			_, err := c.Fs.Open("some/name")
			require.Error(c, err)
			require.Regexp(c, `^open some/name: [^/]*$`, err.Error())
		}},
		Case{"error/not-exist-is-no-other", nil, func(c *C) {
			_, err := c.Fs.Stat("no")
			for _, sentinel := range []error{fs.ErrExist, fs.ErrPermission, fs.ErrClosed, fs.ErrInvalid} {
				require.NotErrorIs(c, err, sentinel)
			}
			require.True(c, os.IsNotExist(err), "programs still use os.IsNotExist")
		}},
		Case{"error/exist-is-no-other", nil, func(c *C) {
			c.mkdir("d")
			err := c.Fs.Mkdir("d", 0o755)
			for _, sentinel := range []error{fs.ErrNotExist, fs.ErrPermission, fs.ErrClosed, fs.ErrInvalid} {
				require.NotErrorIs(c, err, sentinel)
			}
			require.True(c, os.IsExist(err), "programs still use os.IsExist")
		}},
	)
}

// fileBeside returns another error if a call has returned both a file and an error.
func fileBeside(f afero.File, err error) error {
	if err == nil {
		_ = f.Close()
		return nil
	}
	if f != nil {
		return errors.New("a file that is not nil beside an error")
	}
	return err
}

// trimmed removes the suffix that a call has added to the name in its error.
func trimmed(err error, suffix string) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		if n := len(pe.Path) - len(suffix); n >= 0 && pe.Path[n:] == suffix {
			return &fs.PathError{Op: pe.Op, Path: pe.Path[:n], Err: pe.Err}
		}
	}
	return err
}
