//go:build unix

package mirror

import "syscall"

// maxHandles is how many open files the process may have. (Package os has raised that as far as it may.)
func maxHandles() uint64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return handlesEach * smallAtOnce
	}
	return uint64(limit.Cur) //nolint:unconvert // int64 on FreeBSD
}
