//go:build unix

package localdir

import "syscall"

// nonblock keeps an open from waiting for the other end of a named pipe that stands where a file is expected. It has
// no effect on regular files.
const nonblock = syscall.O_NONBLOCK
