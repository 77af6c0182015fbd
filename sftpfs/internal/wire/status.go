package wire

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/pkg/sftp"
)

// A Status is a STATUS packet that refuses a request. Code and message are up to the server. A Status is also an error.
type Status struct {
	Code    uint32
	Message string
}

func (s Status) Error() string {
	return fmt.Sprintf("the server refuses with status %d: %q", s.Code, s.Message)
}

// pkg/sftp returns fs.ErrNotExist and fs.ErrPermission for two codes, and drops the messages that come with them. So
// that it keeps such a message, it receives the code plus firstWorded. StatusOf undoes that.
const firstWorded = 1 << 30

// worded returns the code that pkg/sftp receives for a refusal.
func worded(code uint32, message []byte) uint32 {
	if len(message) > 0 && (code == StatusNoSuchFile || code == StatusPermissionDenied) {
		return firstWorded + code
	}
	return code
}

// StatusOf returns the status of the server that err, an error of pkg/sftp or of a Reply, stands for. It returns false
// if err is not an answer of the server. Over a client without a Wire, the messages of StatusNoSuchFile and
// StatusPermissionDenied are lost.
func StatusOf(err error) (Status, bool) {
	var own Status
	var theirs *sftp.StatusError
	switch {
	case errors.As(err, &own):
		return own, true
	case errors.As(err, &theirs):
		s := Status{theirs.Code, message(theirs)}
		if s.Code >= firstWorded && s.Code < firstLocalStatus {
			s.Code -= firstWorded
		}
		return s, true
	case errors.Is(err, fs.ErrNotExist):
		return Status{Code: StatusNoSuchFile}, true
	case errors.Is(err, fs.ErrPermission):
		return Status{Code: StatusPermissionDenied}, true
	}
	return Status{}, false
}

// message returns the message in err, which pkg/sftp shows only as a quoted part of its text.
func message(err *sftp.StatusError) string {
	quoted, _ := strconv.QuotedPrefix(strings.TrimPrefix(err.Error(), "sftp: "))
	text, _ := strconv.Unquote(quoted) // "" if there is none
	return text
}
