package faultfs

import (
	"io/fs"

	"github.com/spf13/afero"
)

// file passes operations on to another file, as far as the plan permits.
type file struct {
	base afero.File
	name string // as passed to Open
	plan *Plan
}

var _ afero.File = (*file)(nil)

func newFile(base afero.File, name string, p *Plan) *file {
	f := &file{base: base, name: name, plan: p}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open == nil {
		p.open = make(map[*file]struct{})
	}
	p.open[f] = struct{}{}
	return f
}

func (f *file) Name() string { return f.base.Name() }

func (f *file) run(kind Kind, call func() error) error {
	return f.plan.run(Op{Kind: kind, Name: f.name}, call)
}

func (f *file) Read(p []byte) (int, error) {
	return f.read(Read, func() (int, error) { return f.base.Read(p) })
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	return f.read(ReadAt, func() (int, error) { return f.base.ReadAt(p, off) })
}

func (f *file) read(kind Kind, call func() (int, error)) (n int, err error) {
	err = f.run(kind, func() (err error) {
		n, err = call()
		return err
	})
	f.plan.mu.Lock()
	defer f.plan.mu.Unlock()
	f.plan.read += int64(max(n, 0))
	return n, err
}

func (f *file) Write(p []byte) (int, error) {
	return f.write(Write, p, f.base.Write)
}

func (f *file) WriteAt(p []byte, off int64) (int, error) {
	return f.write(WriteAt, p, func(p []byte) (int, error) { return f.base.WriteAt(p, off) })
}

func (f *file) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

// write carries out the write, or its first bytes if the verdict says Part.
func (f *file) write(kind Kind, p []byte, call func([]byte) (int, error)) (n int, err error) {
	v := f.plan.begin(Op{Kind: kind, Name: f.name})
	if v.err != nil && v.effect == Part {
		v.effect = Whole // of fewer bytes
		if v.bytes == 0 {
			v.bytes = len(p) / 2
		}
		p = p[:min(v.bytes, len(p))]
	}
	if err := v.enter(); err != nil {
		return 0, err
	}
	n, err = call(p)
	f.plan.mu.Lock()
	f.plan.written += int64(max(n, 0))
	f.plan.mu.Unlock()
	return n, v.leave(err)
}

func (f *file) Seek(offset int64, whence int) (pos int64, err error) {
	err = f.run(Seek, func() (err error) {
		pos, err = f.base.Seek(offset, whence)
		return err
	})
	return pos, err
}

func (f *file) Truncate(size int64) error {
	return f.run(Truncate, func() error { return f.base.Truncate(size) })
}

func (f *file) Sync() error { return f.run(Sync, f.base.Sync) }

func (f *file) Stat() (fi fs.FileInfo, err error) {
	err = f.run(Fstat, func() (err error) {
		fi, err = f.base.Stat()
		return err
	})
	if err != nil {
		return nil, err
	}
	return fi, nil
}

func (f *file) Readdir(n int) (list []fs.FileInfo, err error) {
	err = f.run(Readdir, func() (err error) {
		list, err = f.base.Readdir(n)
		return err
	})
	return list, err
}

func (f *file) Readdirnames(n int) (list []string, err error) {
	err = f.run(Readdir, func() (err error) {
		list, err = f.base.Readdirnames(n)
		return err
	})
	return list, err
}

// Close closes the base file in any case. A verdict changes only the returned error.
func (f *file) Close() error {
	v := f.plan.begin(Op{Kind: Close, Name: f.name})
	refused := v.enter()
	err := f.base.Close()
	f.plan.mu.Lock()
	delete(f.plan.open, f)
	f.plan.mu.Unlock()
	if refused != nil {
		return refused
	}
	return v.leave(err)
}
