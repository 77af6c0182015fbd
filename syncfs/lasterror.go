package syncfs

import (
	"errors"
	"io/fs"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// classes are the sentinels that a recorded error keeps. Their numbers are in the logs of users: append new ones at the
// end.
var classes = [...]error{nil, ErrConflict, ErrBusy, ErrUnavailable, fs.ErrNotExist, fs.ErrExist, fs.ErrPermission,
	fs.ErrInvalid, errTaken}

// attemptError is the recorded error of an attempt: its text, and the sentinel that errors.Is finds.
type attemptError struct {
	text  string
	class error
}

func (e attemptError) Error() string { return e.text }
func (e attemptError) Unwrap() error { return e.class }

// lastError returns the error of the last attempt; nil if none failed.
func lastError(d *tree.Diff) error {
	if d.Err == "" {
		return nil
	}
	e := attemptError{text: d.Err}
	if int(d.ErrClass) < len(classes) {
		e.class = classes[d.ErrClass]
	}
	return e
}

// mostText bounds the recorded text of an error, in bytes: a remote may send a long one for each file.
const mostText = 4 << 10

// noteError records the error of an attempt.
func noteError(d *tree.Diff, err error) {
	d.Err, d.ErrClass = cut(err.Error(), mostText), 0
	for i, class := range classes {
		if class != nil && errors.Is(err, class) {
			d.ErrClass = uint8(i)
			return
		}
	}
}
