// Package invalid has the error of an argument or an answer that cannot be meant.
package invalid

import (
	"io/fs"
	"syscall"
)

// Argument reads like syscall.EINVAL. It matches that and fs.ErrInvalid, which EINVAL itself does not.
var Argument error = argument{}

type argument struct{}

func (argument) Error() string { return "invalid argument" }

func (argument) Is(target error) bool { return target == fs.ErrInvalid || target == syscall.EINVAL }
