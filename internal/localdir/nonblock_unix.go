//go:build unix

package localdir

import "syscall"

// nonblock makes an open return at once if a named pipe is in the place of a file, instead of waiting for the other
// end. It has no effect on regular files.
const nonblock = syscall.O_NONBLOCK
