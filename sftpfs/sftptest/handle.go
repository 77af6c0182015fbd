package sftptest

import (
	"errors"
	"io"
	"io/fs"
	"sync"

	"github.com/spf13/afero"
)

// A handle is an open file or directory.
type handle struct {
	tree    *tree
	file    afero.File
	path    string // with which it was opened
	appends bool
	forget  func()

	mu sync.Mutex // held by one request at a time: ReadAt of afero.MemMapFs moves the offset
}

// ReadAt reads until b is full or the file ends: afero.MemMapFs may return fewer bytes without an error.
func (h *handle) ReadAt(b []byte, off int64) (n int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for n < len(b) && err == nil {
		var m int
		m, err = h.file.ReadAt(b[n:], off+int64(n))
		n += m
		if m == 0 && (err == nil || errors.Is(err, io.ErrUnexpectedEOF)) {
			err = io.EOF
		}
	}
	return n, status(err)
}

// WriteAt ignores the offset if the file is open for appending, as OpenSSH does.
func (h *handle) WriteAt(b []byte, off int64) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.appends {
		n, err := h.file.WriteAt(b, off)
		return n, status(err)
	}
	h.tree.appending.Lock()
	defer h.tree.appending.Unlock()
	end, err := h.file.Stat()
	if err != nil {
		return 0, status(err)
	}
	n, err := h.file.WriteAt(b, end.Size())
	return n, status(err)
}

func (h *handle) Close() error {
	h.forget()
	h.mu.Lock()
	defer h.mu.Unlock()
	return status(h.file.Close())
}

// A listing holds the entries of a directory when it was opened.
type listing []fs.FileInfo

func (l listing) ListAt(page []fs.FileInfo, off int64) (int, error) {
	if off >= int64(len(l)) {
		return 0, io.EOF
	}
	return copy(page, l[off:]), nil
}

// one returns the answer to a STAT.
func one(fi fs.FileInfo, err error) (listing, error) {
	if err != nil {
		return nil, status(err)
	}
	return listing{fi}, nil
}
