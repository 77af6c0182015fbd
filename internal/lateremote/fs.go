package lateremote

import (
	"context"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/afero"
)

// plain is an Fs whose calls last until they are answered.
type plain struct {
	ctx  context.Context // of its calls: context.Background() unless Quick
	base afero.Fs
	line *Line
}

var (
	_ afero.Fs        = plain{}
	_ afero.Symlinker = plain{}
)

// New returns an Fs over base whose only optional interface is afero.Symlinker. If the base has no symbolic links,
// Lstat is Stat, and the errors are afero.ErrNoSymlink and afero.ErrNoReadlink.
func New(base afero.Fs, line *Line) afero.Fs { return plain{context.Background(), base, line} }

func (p plain) Name() string { return "lateremote(" + p.base.Name() + ")" }

func (p plain) tell(op Op, do func() error) error { return tell(p.ctx, p.line, op, do) }

func (p plain) Create(name string) (afero.File, error) {
	return p.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

func (p plain) Open(name string) (afero.File, error) { return p.OpenFile(name, os.O_RDONLY, 0) }

func (p plain) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	op := Op{Kind: Look, Name: name}
	if flag&(os.O_CREATE|os.O_TRUNC) != 0 {
		op.Kind = Create
	}
	f, err := call(p.ctx, p.line, op, func() (afero.File, error) { return p.base.OpenFile(name, flag, perm) },
		func(f afero.File) { _ = f.Close() }, nil)
	if err != nil {
		return nil, err
	}
	return &file{fs: p, base: f, name: name, writes: flag&(os.O_WRONLY|os.O_RDWR) != 0}, nil
}

func (p plain) Mkdir(name string, perm fs.FileMode) error {
	return p.tell(Op{Kind: Mkdir, Name: name}, func() error { return p.base.Mkdir(name, perm) })
}

func (p plain) MkdirAll(name string, perm fs.FileMode) error {
	return p.tell(Op{Kind: MkdirAll, Name: name}, func() error { return p.base.MkdirAll(name, perm) })
}

func (p plain) Remove(name string) error {
	return p.tell(Op{Kind: Remove, Name: name}, func() error { return p.base.Remove(name) })
}

func (p plain) RemoveAll(name string) error {
	return p.tell(Op{Kind: RemoveAll, Name: name}, func() error { return p.base.RemoveAll(name) })
}

func (p plain) Rename(oldname, newname string) error {
	return p.tell(Op{Kind: Rename, Name: oldname, NewName: newname}, func() error { return p.base.Rename(oldname, newname) })
}

func (p plain) Stat(name string) (fs.FileInfo, error) {
	return p.look(name, func() (fs.FileInfo, error) { return p.base.Stat(name) })
}

func (p plain) look(name string, do func() (fs.FileInfo, error)) (fs.FileInfo, error) {
	return call(p.ctx, p.line, Op{Kind: Look, Name: name}, do, nil, nil)
}

func (p plain) Chmod(name string, mode fs.FileMode) error {
	return p.tell(Op{Kind: Chmod, Name: name}, func() error { return p.base.Chmod(name, mode) })
}

func (p plain) Chown(name string, uid, gid int) error {
	return p.tell(Op{Kind: Chown, Name: name}, func() error { return p.base.Chown(name, uid, gid) })
}

func (p plain) Chtimes(name string, atime, mtime time.Time) error {
	return p.tell(Op{Kind: Chtimes, Name: name}, func() error { return p.base.Chtimes(name, atime, mtime) })
}

func (p plain) LstatIfPossible(name string) (fs.FileInfo, bool, error) {
	l, ok := p.base.(afero.Lstater)
	if !ok {
		fi, err := p.Stat(name)
		return fi, false, err
	}
	fi, err := p.look(name, func() (fs.FileInfo, error) {
		fi, _, err := l.LstatIfPossible(name)
		return fi, err
	})
	return fi, true, err
}

func (p plain) SymlinkIfPossible(oldname, newname string) error {
	op := Op{Kind: Symlink, Name: oldname, NewName: newname}
	l, ok := p.base.(afero.Linker)
	if !ok {
		return op.wrap(afero.ErrNoSymlink)
	}
	return p.tell(op, func() error { return l.SymlinkIfPossible(oldname, newname) })
}

func (p plain) ReadlinkIfPossible(name string) (string, error) {
	op := Op{Kind: Look, Name: name}
	l, ok := p.base.(afero.LinkReader)
	if !ok {
		return "", op.wrap(afero.ErrNoReadlink)
	}
	return call(p.ctx, p.line, op, func() (string, error) { return l.ReadlinkIfPossible(name) }, nil, nil)
}
