package sftpfs

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/invalid"
	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

// A status is what the code of an SFTP status means to package os.
type status struct {
	name string // in the drafts
	err  error  // nil: the code gives no reason, which is then looked for; see refused
	// plain are messages that add nothing to err, as textOf returns them. Nil: err says less than the code, so that no
	// message is left out.
	plain map[string]bool
	bare  bool // no message is kept: os.IsNotExist and os.IsExist, which afero uses, only know the bare errno
}

// statuses are the codes of the SFTP status, each with the draft of draft-ietf-secsh-filexfer that defines it. Version 3
// of the protocol has the codes up to 8. Servers send others to clients of version 3, too: ProFTPD 11, and Apache MINA
// whatever fits. Besides OpenSSH's, the plain messages are those of Apache MINA and ProFTPD, of strerror, and of package
// os.
var statuses = [...]status{
	// Version 3, drafts up to 02.
	0: noReason("SSH_FX_OK"),
	1: noReason("SSH_FX_EOF"), // of what has no end; otherwise it is io.EOF
	2: always("SSH_FX_NO_SUCH_FILE", syscall.ENOENT),
	3: exactly("SSH_FX_PERMISSION_DENIED", syscall.EACCES, "access denied", "operation not permitted"),
	4: noReason("SSH_FX_FAILURE"),     // OpenSSH: EEXIST, ENOTEMPTY, EISDIR, ENOSPC and others
	5: noReason("SSH_FX_BAD_MESSAGE"), // OpenSSH: ENAMETOOLONG and EINVAL
	// A client makes these two for itself. A server must not send them; from a gateway, they are about what is behind it.
	6: roughly("SSH_FX_NO_CONNECTION", ErrUnavailable),
	7: roughly("SSH_FX_CONNECTION_LOST", ErrUnavailable),
	8: exactly("SSH_FX_OP_UNSUPPORTED", errors.ErrUnsupported, "operation unsupported", "operation not supported",
		"unsupported operation requested", "function not implemented"),

	// Version 4, drafts 03 and 04.
	9:  exactly("SSH_FX_INVALID_HANDLE", syscall.EBADF, "bad file descriptor", "invalid handle value"),
	10: always("SSH_FX_NO_SUCH_PATH", syscall.ENOENT),
	11: always("SSH_FX_FILE_ALREADY_EXISTS", syscall.EEXIST),
	12: exactly("SSH_FX_WRITE_PROTECT", syscall.EROFS, "read-only file system", "write protected",
		"file/directory is write-protected"),
	13: roughly("SSH_FX_NO_MEDIA", syscall.ENXIO),

	// Version 5, draft 05.
	14: exactly("SSH_FX_NO_SPACE_ON_FILESYSTEM", syscall.ENOSPC, "no space left on device", "no space on file system",
		"out of disk space"),
	15: exactly("SSH_FX_QUOTA_EXCEEDED", syscall.EDQUOT, "disk quota exceeded"),
	16: roughly("SSH_FX_UNKNOWN_PRINCIPAL", invalid.Argument),
	17: roughly("SSH_FX_LOCK_CONFLICT", syscall.EBUSY),

	// Version 6, drafts 06 to 13.
	18: exactly("SSH_FX_DIR_NOT_EMPTY", syscall.ENOTEMPTY, "directory not empty"),
	19: exactly("SSH_FX_NOT_A_DIRECTORY", syscall.ENOTDIR, "accessed location is not a directory"),
	20: roughly("SSH_FX_INVALID_FILENAME", invalid.Argument),
	21: exactly("SSH_FX_LINK_LOOP", syscall.ELOOP, "too many levels of symbolic links"),
	22: roughly("SSH_FX_CANNOT_DELETE", syscall.EPERM),
	23: exactly("SSH_FX_INVALID_PARAMETER", invalid.Argument),
	24: exactly("SSH_FX_FILE_IS_A_DIRECTORY", syscall.EISDIR, "is a directory", "accessed location is a directory"),
	25: roughly("SSH_FX_BYTE_RANGE_LOCK_CONFLICT", syscall.EBUSY),
	26: roughly("SSH_FX_BYTE_RANGE_LOCK_REFUSED", syscall.EBUSY),
	27: roughly("SSH_FX_DELETE_PENDING", syscall.EBUSY), // the name still exists
	28: roughly("SSH_FX_FILE_CORRUPT", syscall.EIO),
	29: roughly("SSH_FX_OWNER_INVALID", syscall.EPERM), // the user exists, but cannot be an owner
	30: roughly("SSH_FX_GROUP_INVALID", syscall.EPERM),
	31: roughly("SSH_FX_NO_MATCHING_BYTE_RANGE_LOCK", invalid.Argument),
}

// invalidArgument are messages with which SSH_FX_OP_UNSUPPORTED is about the arguments of a request, not about its kind:
// ProFTPD's mod_sftp has no other code for EINVAL in version 3, for example for READLINK of a file.
var invalidArgument = map[string]bool{textOf("Invalid parameter"): true, textOf("Invalid argument"): true}

// noReason returns a code for a refusal without a reason.
func noReason(name string) status { return status{name: name} }

// roughly returns a code of which err is not the whole meaning.
func roughly(name string, err error) status { return status{name: name, err: err} }

// always returns a code that err stands for, whatever the server says with it.
func always(name string, err error) status { return status{name: name, err: err, bare: true} }

// exactly returns a code that err stands for. The name of the code, the text of err and the others are plain.
func exactly(name string, err error, others ...string) status {
	s := status{name: name, err: err, plain: map[string]bool{"": true}}
	for _, text := range append(others, name, err.Error()) {
		s.plain[textOf(text)] = true
	}
	return s
}

// statusOf returns what a code means.
func statusOf(code uint32) status {
	if code < uint32(len(statuses)) {
		return statuses[code]
	}
	return noReason(fmt.Sprintf("status %d", code))
}

// answer returns the error for the server's answer s: the bare errno or sentinel, if s says no more than that, otherwise
// a refusal.
func answer(s wire.Status) error {
	meaning, message := statusOf(s.Code), printable(s.Message, wire.MaxMessage)
	if s.Code == wire.StatusOpUnsupported && invalidArgument[textOf(message)] {
		meaning = statuses[wire.StatusInvalidParameter]
	}
	if meaning.bare || meaning.plain[textOf(withoutPath(message))] {
		return meaning.err
	}
	r := &refusal{err: meaning.err, name: meaning.name, message: message}
	if r.err == nil {
		r.err, r.noReason = syscall.EIO, true
	}
	return r
}
