//go:build !linux

package localdir

import (
	"errors"
	"io/fs"
	"os"
)

// beneath exists only on Linux. Here all its methods fail.
type beneath struct{}

func openBeneath(string, *os.Root) *beneath { return nil }

func (*beneath) open(string) (handle, error) { return nil, errors.ErrUnsupported }

func (*beneath) create(string, fs.FileMode) (handle, error) { return nil, errors.ErrUnsupported }

func (*beneath) lstat(string) (Info, error) { return Info{}, errors.ErrUnsupported }

func (*beneath) rename(string, string) error { return errors.ErrUnsupported }

func (*beneath) close() {}
