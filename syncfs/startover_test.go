package syncfs

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// resumable is a remote whose behaviour with a temporary file that is opened to go on with it is the test's.
type resumable struct {
	afero.Fs
	afero.Symlinker
	open  func(base afero.Fs, name string, flag int, perm fs.FileMode) (afero.File, error) // nil: as the base
	reads atomic.Int64                                                                     // files that were opened for reading
}

func (r *resumable) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	if flag == os.O_RDONLY {
		r.reads.Add(1)
	}
	if r.open != nil && flag == os.O_WRONLY && strings.Contains(name, localdir.Prefix) {
		return r.open(r.Fs, name, flag, perm)
	}
	return r.Fs.OpenFile(name, flag, perm)
}

func (r *resumable) Open(name string) (afero.File, error) { return r.OpenFile(name, os.O_RDONLY, 0) }

// resumableFile is a file whose first write at an offset is the test's, as are its other calls that are set.
type resumableFile struct {
	afero.File
	write func(f afero.File, p []byte) (int, error)
	seek  error
	close error
}

func (f *resumableFile) Write(p []byte) (int, error) {
	if f.write == nil {
		return f.File.Write(p)
	}
	return f.write(f.File, p)
}

func (f *resumableFile) Seek(offset int64, whence int) (int64, error) {
	if f.seek != nil {
		return 0, f.seek
	}
	return f.File.Seek(offset, whence)
}

func (f *resumableFile) Close() error { return errors.Join(f.File.Close(), f.close) }

// withFile opens a file of the base for reading and writing, for others to change what it does.
func withFile(change func(f *resumableFile)) func(afero.Fs, string, int, fs.FileMode) (afero.File, error) {
	return func(base afero.Fs, name string, _ int, perm fs.FileMode) (afero.File, error) {
		f, err := base.OpenFile(name, os.O_RDWR, perm)
		if err != nil {
			return nil, err
		}
		changed := &resumableFile{File: f}
		change(changed)
		return changed, nil
	}
}

// zeroes overwrites what is before the position of a file.
func zeroes(f afero.File) error {
	at, err := f.Seek(0, io.SeekCurrent)
	if err == nil {
		_, err = f.WriteAt(make([]byte, at), 0)
	}
	return err
}

// An upload that goes on ends with the right bytes, whatever the remote does to a file that is opened without O_TRUNC.
// Where it says no, the upload starts over with a new file.
func TestUploadGoesOnOrStartsOver(t *testing.T) {
	t.Parallel()
	refuses := func(err error) func(afero.Fs, string, int, fs.FileMode) (afero.File, error) {
		return func(_ afero.Fs, name string, _ int, _ fs.FileMode) (afero.File, error) {
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
	}
	for name, c := range map[string]struct {
		open func(afero.Fs, string, int, fs.FileMode) (afero.File, error)
		sent float64 // blocks, with the second push
	}{
		"it keeps the content": {nil, 2.5},
		"it empties the file": {func(base afero.Fs, name string, flag int, perm fs.FileMode) (afero.File, error) {
			return base.OpenFile(name, flag|os.O_TRUNC, perm)
		}, 4.5},
		"it empties the file at the first write": {withFile(func(f *resumableFile) {
			f.write = func(f afero.File, p []byte) (int, error) {
				if err := f.Truncate(0); err != nil {
					return 0, err
				}
				return f.Write(p)
			}
		}), 7},
		"it fills the file with zeros at the first write": {withFile(func(f *resumableFile) {
			f.write = func(base afero.File, p []byte) (int, error) {
				f.write = nil
				if err := zeroes(base); err != nil {
					return 0, err
				}
				return base.Write(p)
			}
		}), 7},
		"it writes at the start, whatever the offset": {withFile(func(f *resumableFile) {
			at := int64(0)
			f.write = func(base afero.File, p []byte) (int, error) {
				n, err := base.WriteAt(p, at)
				at += int64(n)
				return n, err
			}
		}), 7},
		"it takes the file away": {func(base afero.Fs, name string, flag int, perm fs.FileMode) (afero.File, error) {
			if err := base.Remove(name); err != nil {
				return nil, err
			}
			return base.OpenFile(name, flag|os.O_CREATE, perm)
		}, 4.5},
		"no permission":    {refuses(fs.ErrPermission), 4.5},
		"failure":          {refuses(syscall.EIO), 4.5},
		"not supported":    {refuses(errors.ErrUnsupported), 4.5},
		"no such file":     {refuses(syscall.ENOENT), 4.5},
		"it exists":        {refuses(syscall.EEXIST), 4.5},
		"invalid":          {refuses(syscall.EINVAL), 4.5},
		"seek is refused":  {withFile(func(f *resumableFile) { f.seek = syscall.EINVAL }), 4.5},
		"write is refused": {withFile(func(f *resumableFile) { f.write = func(afero.File, []byte) (int, error) { return 0, syscall.EIO } }), 4.5},
		"close fails":      {withFile(func(f *resumableFile) { f.close = syscall.EIO }), 7},
		"write is unsupported": {withFile(func(f *resumableFile) {
			f.write = func(afero.File, []byte) (int, error) { return 0, errors.ErrUnsupported }
		}), 4.5},
		"nothing can be opened": {func(afero.Fs, string, int, fs.FileMode) (afero.File, error) { return nil, syscall.EBUSY }, 4.5},
	} {
		for _, restart := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", after a restart"}[restart], func(t *testing.T) {
				t.Parallel()
				base := aferotest.OS(t.TempDir())
				remote := &resumable{Fs: base, Symlinker: base.(afero.Symlinker), open: c.open}
				r := rigOn(t, remote, nil)
				content := bulk(1, 4.5)
				r.write("f:" + content)
				r.cutAfter(2.25 * block)
				r.fails(ErrUnavailable)
				r.plan.Heal()
				if restart {
					r.restart()
				}
				start := r.plan.BytesWritten()
				report := r.pushes()
				sent := r.plan.BytesWritten() - start
				r.holds("f", content)
				require.Empty(t, r.parts())
				require.InDelta(t, c.sent*block, sent, 1)
				require.Len(t, report.Results, 1)
				require.Equal(t, int64(len(content)), report.Results[0].Resumed+report.Results[0].Bytes)
				require.Zero(t, r.sends())
			})
		}
	}
}

// An upload that is whole and was not published may not be there any more when it is opened again.
func TestWholeUploadIsProven(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"some content", bulk(1, 3)} {
		for _, kind := range []faultfs.Kind{faultfs.Rename, faultfs.Close} {
			base := aferotest.OS(t.TempDir())
			remote := &resumable{Fs: base, Symlinker: base.(afero.Symlinker),
				open: func(base afero.Fs, name string, flag int, perm fs.FileMode) (afero.File, error) {
					f, err := base.OpenFile(name, flag, perm)
					if err != nil {
						return nil, err
					}
					_, err = f.WriteAt(make([]byte, 10), 0)
					return f, err
				}}
			r := rigOn(t, remote, nil)
			r.write("f:" + content)
			r.plan.Before(func(op faultfs.Op) error {
				if op.Kind == kind && strings.Contains(op.Name, ".part") {
					return errDown
				}
				return nil
			})
			r.fails(ErrUnavailable)
			r.plan.Heal()
			r.pushes()
			r.holds("f", content)
			require.Empty(t, r.parts())
		}
	}
}

// An answer that does not come is none: the upload goes on with the same file later.
func TestUploadWithoutAnAnswerIsTriedAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	content := bulk(1, 4.5)
	r.write("f:" + content)
	r.cutAfter(2.25 * block)
	r.fails(ErrUnavailable)
	part := r.parts()
	for _, kind := range []faultfs.Kind{faultfs.Open, faultfs.Lstat, faultfs.Seek} {
		r.plan.Before(func(op faultfs.Op) error {
			if op.Kind == kind && strings.Contains(op.Name, ".part") {
				return errDown
			}
			return nil
		})
		r.fails(ErrUnavailable)
		require.Equal(t, part, r.parts())
	}
	r.plan.Heal()
	require.LessOrEqual(t, r.sends(), int64(2.5*block))
	r.holds("f", content)
}

// A temporary file that can't be looked at or removed does not hold up the upload.
func TestUploadStartsOverBesideAFileThatStays(t *testing.T) {
	t.Parallel()
	for _, kind := range []faultfs.Kind{faultfs.Lstat, faultfs.Open} {
		r := newRig(t, nil)
		content := bulk(1, 4.5)
		r.write("f:" + content)
		r.cutAfter(2.25 * block)
		r.fails(ErrUnavailable)
		part := r.parts()[0]
		r.plan.Before(func(op faultfs.Op) error {
			if (op.Kind == kind || op.Kind == faultfs.Remove) && strings.HasSuffix(op.Name, part) {
				return fs.ErrPermission
			}
			return nil
		})
		_, _ = r.push() // which says that the file stays
		r.holds("f", content)
		require.Equal(t, []string{part}, r.parts())
		r.plan.Heal()
		r.pushes()
		require.Empty(t, r.parts())
	}
}

// A temporary file whose removal got no answer is not gone on with: the removal may come late.
func TestUploadStartsOverAfterARemovalInDoubt(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	content := bulk(1, 4.5)
	r.write("f:" + content)
	r.cutAfter(2.25 * block)
	r.fails(ErrUnavailable)
	r.plan.Heal()
	part := r.parts()[0]
	r.plan.Before(func(op faultfs.Op) error {
		switch {
		case !strings.HasSuffix(op.Name, part):
		case op.Kind == faultfs.Open:
			return syscall.EIO
		case op.Kind == faultfs.Remove:
			r.down()
			return errDown
		}
		return nil
	})
	r.fails(ErrUnavailable)
	r.plan.Heal()
	require.Equal(t, []string{part}, r.parts())
	var goesOn atomic.Bool
	r.plan.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Open && strings.HasSuffix(op.Name, part) {
			goesOn.Store(true)
		}
		return nil
	})
	r.pushes()
	require.False(t, goesOn.Load())
	r.holds("f", content)
	require.Empty(t, r.parts())
}

// keeping is a remote that is known to keep what is there, or is known not to.
type keeping struct {
	*resumable
	keeps bool
}

func (k keeping) KeepsContent() bool { return k.keeps }

// Only where nothing is known, a file is read back.
func TestUploadIsReadBackWhereItHasTo(t *testing.T) {
	t.Parallel()
	for _, keeps := range []bool{true, false} {
		base := aferotest.OS(t.TempDir())
		remote := keeping{&resumable{Fs: base, Symlinker: base.(afero.Symlinker)}, keeps}
		s := newFs(t, remote, realDir(t), nil)
		s.block = block
		content := bulk(1, 4.5)
		require.NoError(t, afero.WriteFile(s, "f", []byte(content), 0o644))
		var left atomic.Int64
		left.Store(70)
		failing := &cutting{left: &left}
		remote.resumable.Fs = failing.over(base)
		_, err := s.Push(context.Background()) // of one that ends only a remote with WithContext knows
		require.ErrorIs(t, err, ErrUnavailable)
		left.Store(1 << 40)
		before := remote.reads.Load()
		report, err := s.Push(context.Background())
		require.NoError(t, err)
		require.Positive(t, report.Results[0].Resumed)
		require.Equal(t, keeps, remote.reads.Load() == before)
	}
}

// cutting has writes fail when so many have been made.
type cutting struct {
	afero.Fs
	left *atomic.Int64
}

func (c *cutting) over(base afero.Fs) afero.Fs { c.Fs = base; return c }

func (c *cutting) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	f, err := c.Fs.OpenFile(name, flag, perm)
	if err != nil || flag == os.O_RDONLY {
		return f, err
	}
	return &resumableFile{File: f, write: func(f afero.File, p []byte) (int, error) {
		if c.left.Add(-1) < 0 {
			return 0, errDown
		}
		return f.Write(p)
	}}, nil
}
