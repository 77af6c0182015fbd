//go:build !linux

package localdir

import (
	"errors"
	"io/fs"
	"os"
)

// beneath is what Linux has and others have not.
type beneath struct{}

func openBeneath(string, *os.Root) *beneath { return nil }

func (*beneath) open(string) (handle, error) { return nil, errors.ErrUnsupported }

func (*beneath) create(string, fs.FileMode) (handle, error) { return nil, errors.ErrUnsupported }

func (*beneath) lstat(string) (Info, error) { return Info{}, errors.ErrUnsupported }

func (*beneath) rename(string, string) error { return errors.ErrUnsupported }

func (*beneath) close() {}
