package cachefs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

// stating is a remote whose files never end, and which states the sizes that they are named after.
type stating struct {
	afero.Fs
	sizes map[string]int64
}

type statedInfo struct {
	fs.FileInfo
	size int64
}

func (i statedInfo) Size() int64 { return i.size }

func (s stating) info(fi fs.FileInfo, err error) (fs.FileInfo, error) {
	if size, ok := s.sizes["/"+base(fi)]; ok && err == nil {
		fi = statedInfo{fi, size}
	}
	return fi, err
}

func base(fi fs.FileInfo) string {
	if fi == nil {
		return ""
	}
	return fi.Name()
}

func (s stating) Stat(name string) (fs.FileInfo, error) { return s.info(s.Fs.Stat(name)) }

func (s stating) Open(name string) (afero.File, error) { return s.OpenFile(name, 0, 0) }

func (s stating) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	f, err := s.Fs.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return statingFile{f, s}, nil
}

type statingFile struct {
	afero.File
	s stating
}

func (f statingFile) Stat() (fs.FileInfo, error) { return f.s.info(f.File.Stat()) }

func (f statingFile) Read(p []byte) (int, error) { return len(p), nil }

func (f statingFile) ReadAt(p []byte, _ int64) (int, error) { return len(p), nil }

func (f statingFile) Readdir(n int) ([]fs.FileInfo, error) {
	infos, err := f.File.Readdir(n)
	for i := range infos {
		infos[i], _ = f.s.info(infos[i], nil)
	}
	return infos, err
}

// Whatever sizes a remote states, what is here stays within MaxBytes, and is counted as what it is.
func TestStatedSizes(t *testing.T) {
	t.Parallel()
	const bound = 1 << 20
	for _, most := range []int64{bound, 0} {
		t.Run(fmt.Sprint(most), func(t *testing.T) {
			t.Parallel()
			remote := stating{afero.NewMemMapFs(), map[string]int64{}}
			for i, size := range []int64{math.MaxInt64, math.MaxInt64 - 1, math.MaxInt64 / 2, 1 << 62, math.MinInt64, -1, bound, bound + 1} {
				name := fmt.Sprintf("/%d", i)
				remote.sizes[name] = size
				require.NoError(t, afero.WriteFile(remote.Fs, name, nil, 0o644))
			}
			local := afero.NewBasePathFs(afero.NewOsFs(), t.TempDir())
			c, err := New(remote, local, &Options{MaxBytes: most})
			require.NoError(t, err)
			defer func() { require.NoError(t, c.Close()) }()
			var open []afero.File
			for name := range remote.sizes {
				f, err := c.Open(name)
				require.NoError(t, err, name)
				open = append(open, f)
				_, err = io.ReadFull(f, make([]byte, bound/2))
				if size := remote.sizes[name]; !errors.Is(err, ErrChanged) || size != bound && size != bound+1 { // more came than that
					require.NoError(t, err, name)
				}
				used := c.Stats().UsedBytes
				require.GreaterOrEqual(t, used, int64(0), name)
				if most > 0 {
					require.LessOrEqual(t, used, most, name)
					require.LessOrEqual(t, diskUse(t, local), 2*most, name)
				}
			}
			for _, f := range open {
				require.NoError(t, f.Close())
			}
			if most > 0 {
				require.LessOrEqual(t, diskUse(t, local), 2*most)
			}
		})
	}
}

// diskUse is the size of all files.
func diskUse(t *testing.T, fsys afero.Fs) (sum int64) {
	t.Helper()
	_ = afero.Walk(fsys, "/", func(_ string, fi fs.FileInfo, err error) error {
		if err == nil && fi.Mode().IsRegular() {
			sum += fi.Size()
		}
		return nil
	})
	return sum
}
