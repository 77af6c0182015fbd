package sftptest

import (
	"errors"
	"io"
	"io/fs"
	"strconv"
	"sync"
	"syscall"

	"github.com/spf13/afero"
)

// A handle is an open file or directory.
type handle struct {
	session *session
	path    string // by which it was opened
	flags   Flags

	mu      sync.Mutex // held by one request at a time: afero.MemMapFs moves the offset in ReadAt
	file    afero.File // nil: a directory
	entries []fs.FileInfo
}

// readAt reads until b is full or the file ends, because afero.MemMapFs may return fewer bytes without an error.
func (h *handle) readAt(b []byte, off int64) (n int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.flags&(FlagRead|FlagWrite) == FlagWrite {
		return 0, syscall.EBADF
	}
	for n < len(b) && err == nil {
		var m int
		m, err = h.file.ReadAt(b[n:], off+int64(n))
		n += m
		if m == 0 && (err == nil || errors.Is(err, io.ErrUnexpectedEOF)) {
			err = io.EOF
		}
	}
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

// writeAt ignores the offset of a file that is open for appending, as OpenSSH does.
func (h *handle) writeAt(b []byte, off int64) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.flags&FlagWrite == 0 {
		return syscall.EBADF
	}
	if h.flags&FlagAppend != 0 {
		appending := &h.session.conn.server.tree.appending
		appending.Lock()
		defer appending.Unlock()
		end, err := h.file.Stat()
		if err != nil {
			return err
		}
		off = end.Size()
	}
	_, err := h.file.WriteAt(b, off)
	return err
}

// next returns the next entries of the directory.
func (h *handle) next() ([]fs.FileInfo, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.entries) == 0 {
		return nil, io.EOF
	}
	const most = 100 // as OpenSSH sends
	n := min(most, len(h.entries))
	page := h.entries[:n]
	h.entries = h.entries[n:]
	return page, nil
}

func (h *handle) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.file == nil {
		return nil
	}
	return h.file.Close()
}

// abandon closes a file that its client has left open when the channel ended.
func (h *handle) abandon() {
	if f, ok := h.file.(interface{ abandon() }); ok {
		f.abandon()
		return
	}
	_ = h.close()
}

// handles holds the handles of all channels, so that each has a unique name.
type handles struct {
	mu   sync.Mutex // guards the fields below, and conn.handles
	last int
	open map[string]*handle
}

// reserve makes room for a handle. It returns false if the connection has limit handles already; 0 is no limit.
func (s *handles) reserve(c *conn, limit int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if limit > 0 && c.handles >= limit {
		return false
	}
	c.handles++
	return true
}

// release reverts reserve.
func (s *handles) release(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.handles--
}

// add registers a handle after reserve, and returns its name.
func (s *handles) add(h *handle) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	name := strconv.Itoa(s.last)
	s.open[name] = h
	return name
}

// get returns the handle of a session, nil if it has none by that name.
func (s *handles) get(of *session, name string) *handle {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.open[name]; h != nil && h.session == of {
		return h
	}
	return nil
}

// remove forgets the handle of a session, and returns it, nil if there is none.
func (s *handles) remove(of *session, name string) *handle {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.open[name]
	if h == nil || h.session != of {
		return nil
	}
	delete(s.open, name)
	of.conn.handles--
	return h
}

// abandonAll closes what a session has left open.
func (s *handles) abandonAll(of *session) {
	s.mu.Lock()
	var left []*handle
	for name, h := range s.open {
		if h.session == of {
			left = append(left, h)
			delete(s.open, name)
			of.conn.handles--
		}
	}
	s.mu.Unlock()
	for _, h := range left {
		h.abandon()
	}
}

// isOpen reports whether any client has the file open.
func (s *handles) isOpen(path string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.open {
		if h.path == path && h.file != nil {
			return true
		}
	}
	return false
}
