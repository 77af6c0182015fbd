//go:build !linux

package localdir

import (
	"errors"
	"os"
)

// beneath is what Linux has and others have not.
type beneath struct{}

func openBeneath(string, *os.Root) *beneath { return nil }

func (*beneath) open(string) (handle, error) { return nil, errors.ErrUnsupported }

func (*beneath) close() {}
