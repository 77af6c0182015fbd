package sftptest

import (
	"io/fs"
	"path"
	"slices"
	"sync"

	"github.com/spf13/afero"
)

// Quota limits the bytes of all files of the tree together. A Write that needs more fails with StatusQuotaExceeded.
// Hosting providers have quotas; some servers answer StatusFailure.
func Quota(bytes int64) Character {
	return func(o *Options) {
		wrap := func(t *tree, open opener) opener {
			q := &quota{most: bytes, fs: t.fs}
			return func(name string, flag int, perm fs.FileMode) (afero.File, error) {
				f, err := open(name, flag, perm)
				if err != nil {
					return nil, err
				}
				return quotaFile{f, q}, nil
			}
		}
		o.openers = slices.Insert(o.openers, 0, wrap) // files whose content arrives only at their close count, too
	}
}

// A quota limits the bytes of all files of a tree.
type quota struct {
	most int64
	fs   afero.Fs
	mu   sync.Mutex // held by one write at a time, so that the check and the write are atomic
}

type quotaFile struct {
	afero.File
	quota *quota
}

func (f quotaFile) WriteAt(b []byte, off int64) (int, error) {
	f.quota.mu.Lock()
	defer f.quota.mu.Unlock()
	fi, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if grows := off + int64(len(b)) - fi.Size(); grows > 0 {
		used, err := usage(f.quota.fs, "/")
		if err != nil {
			return 0, err
		}
		if used+grows > f.quota.most {
			return 0, StatusQuotaExceeded
		}
	}
	return f.File.WriteAt(b, off)
}

// usage returns how many bytes the files below dir have.
func usage(fsys afero.Fs, dir string) (sum int64, err error) {
	entries, err := afero.ReadDir(fsys, dir)
	for _, fi := range entries {
		switch {
		case err != nil:
		case fi.Mode().IsRegular():
			sum += fi.Size()
		case fi.IsDir():
			var below int64
			below, err = usage(fsys, path.Join(dir, fi.Name()))
			sum += below
		}
	}
	return sum, err
}
