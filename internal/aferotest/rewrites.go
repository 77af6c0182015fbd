package aferotest

import (
	"bytes"

	"github.com/spf13/afero"
)

// Rewrites are the ways in which a file may become another version while somebody reads it. Each is called with the name of the
// file, what it had at first, and how often it has been rewritten with this call. It returns what the file has then.
var Rewrites = map[string]func(fsys afero.Fs, name string, first []byte, times int) []byte{
	"grows": func(fsys afero.Fs, name string, first []byte, times int) []byte {
		text := append(bytes.Clone(first), bytes.Repeat([]byte("+"), times)...)
		_ = afero.WriteFile(fsys, name, text, 0o644)
		return text
	},
	"shrinks": func(fsys afero.Fs, name string, first []byte, times int) []byte {
		text := first[:len(first)-times]
		_ = afero.WriteFile(fsys, name, text, 0o644)
		return text
	},
	"is rewritten": func(fsys afero.Fs, name string, first []byte, times int) []byte {
		text := bytes.ReplaceAll(first, []byte{'0'}, []byte{'A' + byte(times)})
		_ = afero.WriteFile(fsys, name, text, 0o644)
		return text
	},
	"is replaced": func(fsys afero.Fs, name string, first []byte, times int) []byte {
		text := bytes.ReplaceAll(first, []byte{'0'}, []byte{'A' + byte(times)})
		_ = afero.WriteFile(fsys, name+".new", text, 0o644)
		_ = fsys.Rename(name+".new", name)
		return text
	},
}
