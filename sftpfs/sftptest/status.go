package sftptest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"

	"github.com/spf13/afero"
)

// A Status is the code of an SFTP status reply (SSH_FX_*).
//
// A Status is also an error. If the Options.Fs returns one, the server replies with it.
type Status uint32

// Version 3 of the protocol (draft-ietf-secsh-filexfer-02) defines the codes up to StatusOpUnsupported. The others are of later
// drafts, up to 13. Some servers of version 3 send them nevertheless.
const (
	StatusOK Status = iota
	StatusEOF
	StatusNoSuchFile
	StatusPermissionDenied
	StatusFailure
	StatusBadMessage
	StatusNoConnection
	StatusConnectionLost
	StatusOpUnsupported
	StatusInvalidHandle
	StatusNoSuchPath
	StatusFileAlreadyExists
	StatusWriteProtect
	StatusNoMedia
	StatusNoSpaceOnFilesystem
	StatusQuotaExceeded
	StatusUnknownPrincipal
	StatusLockConflict
	StatusDirNotEmpty
	StatusNotADirectory
	StatusInvalidFilename
	StatusLinkLoop
	StatusCannotDelete
	StatusInvalidParameter
	StatusFileIsADirectory
	StatusByteRangeLockConflict
	StatusByteRangeLockRefused
	StatusDeletePending
	StatusFileCorrupt
	StatusOwnerInvalid
	StatusGroupInvalid
	StatusNoMatchingByteRangeLock
)

// statusTexts are OpenSSH's as far as it has them.
var statusTexts = [...]string{
	StatusOK:                      "Success",
	StatusEOF:                     "End of file",
	StatusNoSuchFile:              "No such file",
	StatusPermissionDenied:        "Permission denied",
	StatusFailure:                 "Failure",
	StatusBadMessage:              "Bad message",
	StatusNoConnection:            "No connection",
	StatusConnectionLost:          "Connection lost",
	StatusOpUnsupported:           "Operation unsupported",
	StatusInvalidHandle:           "Invalid handle",
	StatusNoSuchPath:              "No such path",
	StatusFileAlreadyExists:       "File already exists",
	StatusWriteProtect:            "Write protected",
	StatusNoMedia:                 "No media",
	StatusNoSpaceOnFilesystem:     "No space on file system",
	StatusQuotaExceeded:           "Quota exceeded",
	StatusUnknownPrincipal:        "Unknown principal",
	StatusLockConflict:            "Lock conflict",
	StatusDirNotEmpty:             "Directory not empty",
	StatusNotADirectory:           "Not a directory",
	StatusInvalidFilename:         "Invalid filename",
	StatusLinkLoop:                "Link loop",
	StatusCannotDelete:            "Cannot delete",
	StatusInvalidParameter:        "Invalid parameter",
	StatusFileIsADirectory:        "File is a directory",
	StatusByteRangeLockConflict:   "Byte range lock conflict",
	StatusByteRangeLockRefused:    "Byte range lock refused",
	StatusDeletePending:           "Delete pending",
	StatusFileCorrupt:             "File corrupt",
	StatusOwnerInvalid:            "Owner invalid",
	StatusGroupInvalid:            "Group invalid",
	StatusNoMatchingByteRangeLock: "No matching byte range lock",
}

func (s Status) Error() string { return fmt.Sprintf("status %d: %s", uint32(s), s.text()) }

// text returns the message of a reply that has no other one.
func (s Status) text() string {
	if int(s) < len(statusTexts) {
		return statusTexts[s]
	}
	return "Unknown status"
}

// statusOf returns the code that OpenSSH replies with for err.
func statusOf(err error) Status {
	var status Status
	switch {
	case err == nil:
		return StatusOK
	case err == io.EOF:
		return StatusEOF
	case errors.As(err, &status):
		return status
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EBADF),
		errors.Is(err, syscall.ELOOP):
		return StatusNoSuchFile
	case errors.Is(err, fs.ErrPermission):
		return StatusPermissionDenied
	case errors.Is(err, syscall.ENAMETOOLONG):
		return StatusBadMessage
	case errors.Is(err, afero.ErrNoSymlink), errors.Is(err, afero.ErrNoReadlink), errors.Is(err, errors.ErrUnsupported):
		return StatusOpUnsupported
	}
	return StatusFailure
}
