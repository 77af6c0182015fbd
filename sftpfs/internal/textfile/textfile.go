// Package textfile reads text files of a bounded size.
package textfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// maxSize is the maximum length of a file in bytes. The files are keys, certificates, known_hosts and ssh_config;
// 200,000 hosts take less.
const maxSize = 64 << 20

// Read is os.ReadFile for files of at most 64 MiB. A longer file is an error.
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
