// Package invalid holds the error for an invalid argument or an impossible answer.
package invalid

import (
	"io/fs"
	"syscall"
)

// Argument reads like syscall.EINVAL. It matches syscall.EINVAL and fs.ErrInvalid; EINVAL itself does not match the
// latter.
var Argument error = argument{}

type argument struct{}

func (argument) Error() string { return "invalid argument" }

func (argument) Is(target error) bool { return target == fs.ErrInvalid || target == syscall.EINVAL }
