package syncfs

import (
	"errors"
	"io/fs"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// classes are the errors that are told apart when the error of an attempt is recorded. Their numbers are in the logs of
// users: new ones go to the end.
var classes = [...]error{nil, ErrConflict, ErrBusy, ErrUnavailable, fs.ErrNotExist, fs.ErrExist, fs.ErrPermission,
	fs.ErrInvalid}

// attemptError is the error of an attempt, as far as it is recorded: its text, and what errors.Is finds.
type attemptError struct {
	text  string
	class error
}

func (e attemptError) Error() string { return e.text }
func (e attemptError) Unwrap() error { return e.class }

// lastError is the error of the last attempt; nil if none failed.
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

// mostText is how much of an error's text is recorded: a remote may have much to say about each file.
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
