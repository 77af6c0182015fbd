package aferotest

import (
	"bytes"

	"github.com/spf13/afero"
)

// Rewrites are the ways in which a file may become another version while somebody reads it. Each function gets the name
// of the file, its first content, and how often it has been rewritten, including this call. It returns the new content.
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
