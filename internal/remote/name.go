package remote

import (
	"fmt"
	"io/fs"
	"strings"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// plausible refuses names that no directory can have. They would lead elsewhere.
func plausible(base string) error {
	if base == "" || base == "." || base == ".." || strings.ContainsAny(base, "/\x00") {
		return fmt.Errorf("%w: the remote lists an entry named %q", fs.ErrInvalid, base)
	}
	return nil
}

// plausibleTarget refuses what can't be the target of a symbolic link. Targets are recorded, and followed under the
// lock.
func plausibleTarget(target string) error {
	switch {
	case len(target) > localdir.MaxPath:
		return fmt.Errorf("%w: the target of a link has %d bytes", fs.ErrInvalid, len(target))
	case strings.IndexByte(target, 0) >= 0:
		return fmt.Errorf("%w: a link leads to %q", fs.ErrInvalid, target)
	}
	return nil
}
