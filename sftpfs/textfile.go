package sftpfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// maxText is the length in bytes of the longest file of the user's that is read: a key, a certificate, known_hosts, or
// ssh_config. 200,000 hosts take less.
const maxText = 64 << 20

// readText is os.ReadFile for the user's files.
func readText(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxText+1))
	if err == nil && len(text) > maxText {
		err = &fs.PathError{Op: "read", Path: file, Err: errors.New("longer than 64 MiB")}
	}
	return text, err
}
