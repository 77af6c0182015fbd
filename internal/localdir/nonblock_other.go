//go:build !unix

package localdir

const nonblock = 0
