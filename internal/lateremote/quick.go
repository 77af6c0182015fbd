package lateremote

import (
	"context"
	"io/fs"
	"time"

	"github.com/spf13/afero"
)

// Base is a remote with the methods that Quick passes on.
type Base interface {
	afero.Fs
	ReadDir(name string) ([]fs.FileInfo, error)
	MakeDir(name string, perm fs.FileMode) (fs.FileInfo, error)
	ReadVersion(name string, size int64, mtime time.Time) ([]byte, fs.FileInfo, error)
	Stage(name string, content []byte, mode fs.FileMode, atime, mtime time.Time, target string) (
		staged, there fs.FileInfo, err error)
}

// quick is an Fs with the optional methods. Its calls end with their context.
type quick struct {
	plain
	base Base
}

var (
	_ Base            = quick{}
	_ afero.Symlinker = quick{}
)

// Quick returns an Fs over base with WithContext and ReplaceFile, and all methods of Base.
func Quick(base Base, line *Line) afero.Fs {
	return quick{plain{context.Background(), base, line}, base}
}

// WithContext returns the same Fs with calls and files that end with ctx. What they have sent stays on the line.
func (q quick) WithContext(ctx context.Context) afero.Fs {
	q.ctx = ctx
	return q
}

// ReplaceFile renames like Rename.
func (q quick) ReplaceFile(oldname, newname string) error {
	op := Op{Kind: ReplaceFile, Name: oldname, NewName: newname}
	return q.tell(op, func() error { return q.base.Rename(oldname, newname) })
}

func (q quick) ReadDir(name string) ([]fs.FileInfo, error) {
	return call(q.ctx, q.line, Op{Kind: Look, Name: name}, func() ([]fs.FileInfo, error) { return q.base.ReadDir(name) }, nil, nil)
}

func (q quick) MakeDir(name string, perm fs.FileMode) (fs.FileInfo, error) {
	type made struct {
		info fs.FileInfo
		err  error // may come together with an info
	}
	m, err := call(q.ctx, q.line, Op{Kind: MakeDir, Name: name}, func() (m made, _ error) {
		m.info, m.err = q.base.MakeDir(name, perm)
		return m, nil
	}, nil, nil)
	if err != nil {
		return nil, err
	}
	return m.info, m.err
}

func (q quick) ReadVersion(name string, size int64, mtime time.Time) (content []byte, fi fs.FileInfo, err error) {
	content, err = call(q.ctx, q.line, Op{Kind: Look, Name: name}, func() (content []byte, err error) {
		content, fi, err = q.base.ReadVersion(name, size, mtime)
		return content, err
	}, nil, nil)
	return content, fi, err
}

// Stage is one operation.
func (q quick) Stage(name string, content []byte, mode fs.FileMode, atime, mtime time.Time, target string) (
	staged, there fs.FileInfo, err error) {
	type look struct{ staged, there fs.FileInfo }
	content = append([]byte(nil), content...) // it may be sent after the call
	l, err := call(q.ctx, q.line, Op{Kind: Stage, Name: name}, func() (l look, err error) {
		l.staged, l.there, err = q.base.Stage(name, content, mode, atime, mtime, target)
		return l, err
	}, nil, nil)
	return l.staged, l.there, err
}
