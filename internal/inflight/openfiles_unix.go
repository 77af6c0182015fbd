//go:build unix

package inflight

import "syscall"

// maxOpenFiles returns how many open files the process may have. Package os has raised the soft limit to the hard one.
func maxOpenFiles() uint64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return openFilesEach * smallAtOnce
	}
	return uint64(limit.Cur) //nolint:unconvert // int64 on FreeBSD
}
