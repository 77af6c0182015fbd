package lateremote

import (
	"io/fs"
	"sync"

	"github.com/spf13/afero"
)

// file is an open file. After an operation on it was held, its connection is lost: all later operations fail. The base
// file is closed when no operation on it is held any more.
type file struct {
	fs     plain
	base   afero.File
	name   string
	writes bool

	mu     sync.Mutex // guards the fields below
	held   int        // operations that are not delivered yet
	lost   bool
	closed bool // by the caller, after it was lost
}

var _ afero.File = (*file)(nil)

func (f *file) Name() string { return f.name }

// isLost reports whether an operation was held before. If so, closing closes the base after its delivery.
func (f *file) isLost(closing bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lost && closing {
		f.closed = true
		f.closeUnheld()
	}
	return f.lost
}

// closeUnheld closes the base if the caller has closed the file and no operation is held. mu is held.
func (f *file) closeUnheld() {
	if f.closed && f.held == 0 {
		_ = f.base.Close()
	}
}

// change makes an operation that changes something.
func (f *file) change(kind Kind, do func() (int, error)) (int, error) {
	op := Op{Kind: kind, Name: f.name}
	if f.isLost(kind == Close) {
		return 0, op.wrap(ErrLost)
	}
	held, ran := false, false // guarded by mu
	n, err := call(f.fs.ctx, f.fs.line, op, func() (int, error) {
		n, err := do()
		f.mu.Lock()
		defer f.mu.Unlock()
		if ran = true; held {
			f.held--
			f.closeUnheld()
		}
		return n, err
	}, nil, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		held = true
		f.held++
		f.lost = true
	})
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case held && err == nil: // the answer arrived in the end
		f.lost = false
	case kind == Close && !held && !ran: // the context had ended
		_ = f.base.Close()
	}
	return n, err
}

// look makes an operation that changes nothing.
func look[T any](f *file, do func() (T, error)) (T, error) {
	op := Op{Kind: Look, Name: f.name}
	if f.isLost(false) {
		var zero T
		return zero, op.wrap(ErrLost)
	}
	return call(f.fs.ctx, f.fs.line, op, do, nil, nil)
}

func (f *file) Write(p []byte) (int, error) {
	own := append([]byte(nil), p...) // it may be sent after the call
	return f.change(Write, func() (int, error) { return f.base.Write(own) })
}

func (f *file) WriteAt(p []byte, off int64) (int, error) {
	own := append([]byte(nil), p...)
	return f.change(Write, func() (int, error) { return f.base.WriteAt(own, off) })
}

func (f *file) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

func (f *file) Truncate(size int64) error {
	_, err := f.change(Truncate, func() (int, error) { return 0, f.base.Truncate(size) })
	return err
}

// Close of a file that was opened for writing is an operation that changes something. Close of other files always
// passes.
func (f *file) Close() error {
	if !f.writes {
		return f.base.Close()
	}
	_, err := f.change(Close, func() (int, error) { return 0, f.base.Close() })
	return err
}

func (f *file) Read(p []byte) (int, error) {
	return look(f, func() (int, error) { return f.base.Read(p) })
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	return look(f, func() (int, error) { return f.base.ReadAt(p, off) })
}

func (f *file) Seek(offset int64, whence int) (int64, error) {
	return look(f, func() (int64, error) { return f.base.Seek(offset, whence) })
}

func (f *file) Sync() error {
	_, err := look(f, func() (struct{}, error) { return struct{}{}, f.base.Sync() })
	return err
}

func (f *file) Stat() (fs.FileInfo, error) { return look(f, f.base.Stat) }

func (f *file) Readdir(n int) ([]fs.FileInfo, error) {
	return look(f, func() ([]fs.FileInfo, error) { return f.base.Readdir(n) })
}

func (f *file) Readdirnames(n int) ([]string, error) {
	return look(f, func() ([]string, error) { return f.base.Readdirnames(n) })
}
