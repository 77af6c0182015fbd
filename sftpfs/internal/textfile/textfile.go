// Package textfile reads files of the user's.
package textfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// maxSize is the length in bytes of the longest file that is read: a key, a certificate, known_hosts, or ssh_config. 200,000
// hosts take less.
const maxSize = 64 << 20

// Read is os.ReadFile for files of at most 64 MiB. A longer one is an error.
func Read(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err == nil && len(text) > maxSize {
		err = &fs.PathError{Op: "read", Path: file, Err: errors.New("longer than 64 MiB")}
	}
	return text, err
}
