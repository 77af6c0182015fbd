package remotetest

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/afero"
)

// Quick returns a remote with the optional methods that save round trips, made of the calls of base. If a method can't
// complete, it leaves a part behind, like a server.
func Quick(base afero.Fs) afero.Fs {
	if links, ok := base.(afero.Symlinker); ok {
		return quickLinks{quick{base}, links}
	}
	return quick{base}
}

type quick struct{ afero.Fs }

type quickLinks struct {
	quick
	afero.Symlinker
}

// WithContext lets calls that may end early find the optional methods. The calls here do not wait, so ctx has no
// effect.
func (q quick) WithContext(context.Context) afero.Fs      { return q }
func (q quickLinks) WithContext(context.Context) afero.Fs { return q }

// ReadDir reads a directory and closes it.
func (q quick) ReadDir(name string) ([]fs.FileInfo, error) {
	f, err := q.Open(name)
	if err != nil {
		return nil, err
	}
	infos, err := f.Readdir(-1)
	return infos, errors.Join(err, f.Close())
}

// MakeDir makes a directory and describes it.
func (q quick) MakeDir(name string, perm fs.FileMode) (fs.FileInfo, error) {
	err := q.Mkdir(name, perm)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	fi, serr := q.Stat(name)
	return fi, cmp.Or(err, serr)
}

// ReadVersion reads a file, and fails unless it has that version after reading.
func (q quick) ReadVersion(name string, size int64, mtime time.Time) ([]byte, fs.FileInfo, error) {
	f, err := q.Open(name)
	if err != nil {
		return nil, nil, err
	}
	content, err := io.ReadAll(f)
	var fi fs.FileInfo
	if err == nil {
		fi, err = f.Stat()
	}
	switch err := errors.Join(err, f.Close()); {
	case err != nil:
		return nil, nil, err
	case int64(len(content)) != size || fi.Size() != size || !fi.ModTime().Equal(mtime):
		return nil, nil, errors.ErrUnsupported
	}
	return content, fi, nil
}

// Stage writes a file that is to be renamed over target, and describes both.
func (q quick) Stage(name string, content []byte, mode fs.FileMode, atime, mtime time.Time, target string) (
	staged, there fs.FileInfo, err error) {
	f, err := q.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode.Perm()|0o600)
	if err != nil {
		return nil, nil, errors.Join(errors.ErrUnsupported, err)
	}
	_, err = f.Write(content)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, nil, err
	}
	if err := q.Chmod(name, mode); err != nil {
		return nil, nil, errors.Join(errors.ErrUnsupported, err)
	}
	if err := q.Chtimes(name, atime, mtime); err != nil {
		return nil, nil, errors.Join(errors.ErrUnsupported, err)
	}
	if staged, err = q.lstat(name); err != nil {
		return nil, nil, err
	}
	if there, err = q.lstat(target); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	return staged, there, nil
}

func (q quick) lstat(name string) (fs.FileInfo, error) {
	if l, ok := q.Fs.(afero.Lstater); ok {
		fi, _, err := l.LstatIfPossible(name)
		return fi, err
	}
	return q.Stat(name)
}
