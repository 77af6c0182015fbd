//go:build !linux && !darwin

package localdir

import "io/fs"

func (*Stamp) inode(fs.FileInfo) {}
