package soak

import (
	"fmt"
	"os"
	"syscall"
	"testing"
)

// disk is a small file system in memory that can be full.
type disk struct {
	t   testing.TB
	dir string
}

const diskSize = 1 << 30

// newDisk mounts a disk on a directory, until the test ends. It returns nil if this process may not mount anything.
func newDisk(t testing.TB, dir string) *disk {
	if os.Geteuid() != 0 || syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", diskSize)) != nil {
		return nil
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return &disk{t, dir}
}

// fill makes the disk as small as what is on it.
func (d *disk) fill() {
	var s syscall.Statfs_t
	if err := syscall.Statfs(d.dir, &s); err != nil {
		d.t.Error(err)
		return
	}
	d.resize(max(1, s.Blocks-s.Bfree) * uint64(s.Bsize)) // 0 would be no limit
}

// empty gives the disk its size back.
func (d *disk) empty() { d.resize(diskSize) }

func (d *disk) resize(size uint64) {
	err := syscall.Mount("tmpfs", d.dir, "tmpfs", syscall.MS_REMOUNT, fmt.Sprintf("size=%d", size))
	if err != nil && size == diskSize { // else it has grown meanwhile
		d.t.Error(err)
	}
}
