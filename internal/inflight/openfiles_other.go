//go:build !unix

package inflight

// maxOpenFiles returns how many open files the process may have. These systems have no such limit.
func maxOpenFiles() uint64 { return openFilesEach * smallAtOnce }
