package aferotest

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/stretchr/testify/require"
)

// nameCases use each name for a file and for a directory.
func nameCases() []Case {
	var cases []Case
	for _, n := range []struct {
		what, name string
		needs      []Capability
	}{
		{"plain", "name", nil},
		{"spaces", "a name with spaces", nil},
		{"leading-dot", ".hidden", nil},
		{"dots", "a..b...c", nil},
		{"three-dots", "...", nil},
		{"leading-dash", "-rf", nil},
		{"unicode", "grüße-日本語-🙂", nil},
		{"decomposed", "e\u0301", nil},
		{"upper-and-lower", "MiXeD", nil},
		{"percent", "100%25%s", nil},
		{"shell", "$HOME;&'`", nil},
		{"brackets", "[a-z]{x}", nil},
		{"hash-and-at", "#a@b+c=d,e~", nil},
		{"long", strings.Repeat("n", 200), nil},
		{"255-bytes", strings.Repeat("n", 255), needs(LongNames)},
		{"leading-and-trailing-space", " x ", needs(OddNames)},
		{"trailing-dot", "x.", needs(OddNames)},
		{"backslash", `a\b`, needs(OddNames)},
		{"newline", "a\nb", needs(OddNames)},
		{"tab-and-control", "a\tb\x01", needs(OddNames)},
		{"glob", "*?", needs(OddNames)},
		{"quote-and-pipe", `a"b|c<d>`, needs(OddNames)},
		{"colon", "a:b", needs(OddNames)},
		{"not-utf-8", "a\xff\xfeb", needs(OddNames)},
		{"device-of-another-platform", "con", needs(OddNames)},
	} {
		cases = append(cases,
			Case{"name/file/" + n.what, n.needs, func(c *C) {
				c.write(n.name, before)
				c.lists("/", n.name)
				c.holds(n.name, before)
				c.holds("/"+n.name, before)
				require.Equal(c, n.name, c.stat(n.name).Name())
				c.rename(n.name, "x")
				c.rename("x", n.name)
				c.holds(n.name, before)
				c.remove(n.name)
				c.missing(n.name)
			}},
			Case{"name/directory/" + n.what, n.needs, func(c *C) {
				c.mkdirAll(n.name + "/" + n.name)
				c.write(n.name+"/"+n.name+"/f", before)
				c.lists("/", n.name)
				c.lists(n.name, n.name)
				c.holds("/"+n.name+"/"+n.name+"/f", before)
				require.NoError(c, c.Fs.RemoveAll(n.name))
				c.lists("/")
			}})
	}
	return append(cases, spellingCases()...)
}

// spellingCases use one file under its other spellings.
func spellingCases() []Case {
	var cases []Case
	for _, n := range []struct{ what, name string }{
		{"absolute", "/d/f"},
		{"double-slash", "d//f"},
		{"leading-slashes", "//d/f"},
		{"dot-component", "d/./f"},
		{"leading-dot", "./d/f"},
		{"dot-dot-component", "d/sub/../f"},
		{"above-the-root", "/../../d/f"},
		{"up-and-down", "d/../d/f"},
		{"absolute-and-dots", "/./d/../d/./f"},
		{"relative-above-top", "../d/f"},
	} {
		cases = append(cases, Case{"name/spelling/" + n.what, nil, func(c *C) {
			name := n.name
			c.mkdirAll("d/sub")
			c.write(name, before)
			c.holds("d/f", before)
			c.holds(name, before)
			c.lists("d", "f", "sub")
			c.rename(name, "d/g")
			c.rename("d/g", name)
			c.remove(name)
			c.lists("d", "sub")
			_, err := c.Fs.Open(name)
			c.pathErr(err, "open", name, fs.ErrNotExist)
		}})
	}
	return append(cases,
		Case{"name/directory-with-trailing-slash", nil, func(c *C) {
			require.NoError(c, c.Fs.Mkdir("d/", 0o755))
			c.isDir("d")
			c.isDir("d/")
			c.write("d/f", "")
			c.lists("d/", "f")
			c.rename("d/", "e/")
			c.lists("e", "f")
		}},
		Case{"name/too-long", needs(LongNames), func(c *C) {
			name := strings.Repeat("n", 256)
			c.pathErr(c.openErr(name, os.O_RDWR|os.O_CREATE), "open", name, nil)
			require.Error(c, c.Fs.Mkdir(name, 0o755))
			c.write("f", before)
			require.Error(c, c.Fs.Rename("f", name))
			c.lists("/", "f")
		}},
		Case{"name/nul", nil, func(c *C) {
			c.write("a", before)
			const name = "a\x00b"
			c.invalid(c.openErr(name, os.O_RDONLY))
			c.invalid(c.openErr(name, os.O_RDWR|os.O_CREATE))
			c.invalid(c.Fs.Mkdir(name, 0o755))
			c.invalid(c.Fs.MkdirAll("d/"+name, 0o755))
			c.invalid(c.Fs.Remove(name))
			c.invalid(c.Fs.RemoveAll(name))
			c.invalid(c.Fs.Rename("a", name))
			c.invalid(c.Fs.Rename(name, "b"))
			c.invalid(c.Fs.Chmod(name, 0o600))
			c.invalid(c.Fs.Chtimes(name, past, past))
			_, err := c.Fs.Stat(name)
			c.invalid(err)
			c.holds("a", before)
		}},
		// An empty name is the root for some Fs, and no name at all for package os.
		Case{"name/empty", nil, func(c *C) {
			fi, err := c.Fs.Stat("")
			if err != nil {
				require.ErrorIs(c, err, fs.ErrNotExist)
			} else {
				require.True(c, fi.IsDir())
			}
			f, err := c.Fs.OpenFile("", os.O_RDWR|os.O_CREATE, 0o644)
			c.isNil(f)
			require.Error(c, err)
			require.Error(c, c.Fs.Mkdir("", 0o755))
			require.Error(c, c.Fs.Remove(""))
			c.lists("/")
		}},
		Case{"name/dot-is-no-new-name", nil, func(c *C) {
			for _, name := range []string{".", "/", ".."} {
				f, err := c.Fs.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
				c.isNil(f)
				require.Error(c, err)
				require.False(c, errors.Is(err, fs.ErrNotExist))
				require.ErrorIs(c, c.Fs.Mkdir(name, 0o755), fs.ErrExist)
			}
			c.lists("/")
		}},
		Case{"name/case-matters", needs(OddNames), func(c *C) {
			c.write("name", "lower")
			c.write("NAME", "upper")
			c.holds("name", "lower")
			c.holds("NAME", "upper")
			c.lists("/", "NAME", "name")
		}},
		Case{"name/unicode-form-matters", needs(OddNames), func(c *C) {
			c.write("\u00e9", "composed")
			c.write("e\u0301", "decomposed")
			c.holds("\u00e9", "composed")
			c.holds("e\u0301", "decomposed")
		}},
	)
}
