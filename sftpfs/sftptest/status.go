package sftptest

import (
	"errors"
	"io"
	"io/fs"
	"syscall"

	"github.com/pkg/sftp"
	"github.com/spf13/afero"
)

// status returns the status with which OpenSSH answers err.
func status(err error) error {
	switch {
	case err == nil, err == io.EOF:
		return err
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EBADF),
		errors.Is(err, syscall.ELOOP):
		return sftp.ErrSSHFxNoSuchFile
	case errors.Is(err, fs.ErrPermission):
		return sftp.ErrSSHFxPermissionDenied
	case errors.Is(err, syscall.ENAMETOOLONG):
		return sftp.ErrSSHFxBadMessage
	case errors.Is(err, afero.ErrNoSymlink), errors.Is(err, afero.ErrNoReadlink), errors.Is(err, errors.ErrUnsupported):
		return sftp.ErrSSHFxOpUnsupported
	}
	return sftp.ErrSSHFxFailure
}
