package sftpservers

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"testing"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// requestServer is the RequestServer of github.com/pkg/sftp, inside the process, with handlers on package os. SFTPGo and
// others are built on it. It answers READ on a handle that is open for writing alone with OK, and overwrites what is
// there.
func requestServer(t testing.TB) Server {
	h := handlers{}
	return inProcess(t, func(channel ssh.Channel) {
		server := sftp.NewRequestServer(channel, sftp.Handlers{FileGet: h, FilePut: h, FileCmd: h, FileList: h})
		_ = server.Serve()
		_ = server.Close()
	})
}

type handlers struct{}

func (h handlers) Fileread(r *sftp.Request) (io.ReaderAt, error)  { return h.OpenFile(r) }
func (h handlers) Filewrite(r *sftp.Request) (io.WriterAt, error) { return h.OpenFile(r) }
func (handlers) OpenFile(r *sftp.Request) (sftp.WriterAtReaderAt, error) {
	set := r.Pflags()
	flags := os.O_RDONLY
	switch {
	case set.Read && set.Write:
		flags = os.O_RDWR
	case set.Write:
		flags = os.O_WRONLY
	}
	for flag, is := range map[int]bool{os.O_CREATE: set.Creat, os.O_TRUNC: set.Trunc, os.O_EXCL: set.Excl} {
		if is {
			flags |= flag
		}
	}
	return os.OpenFile(r.Filepath, flags, 0o666) // without O_APPEND, with which WriteAt fails
}

func (h handlers) PosixRename(r *sftp.Request) error { return os.Rename(r.Filepath, r.Target) }

func (handlers) Filecmd(r *sftp.Request) error {
	switch r.Method {
	case "Setstat":
		return setAttributes(r)
	case "Rename":
		if _, err := os.Lstat(r.Target); err == nil {
			return fs.ErrExist
		}
		return os.Rename(r.Filepath, r.Target)
	case "Mkdir":
		return os.Mkdir(r.Filepath, 0o777)
	case "Rmdir", "Remove":
		fi, err := os.Lstat(r.Filepath)
		if err == nil && fi.IsDir() != (r.Method == "Rmdir") {
			return errors.New("not of that kind")
		} else if err != nil {
			return err
		}
		return os.Remove(r.Filepath)
	case "Symlink":
		return os.Symlink(r.Filepath, r.Target)
	case "Link":
		return os.Link(r.Filepath, r.Target)
	}
	return sftp.ErrSSHFxOpUnsupported
}

func setAttributes(r *sftp.Request) (err error) {
	has, to := r.AttrFlags(), r.Attributes()
	if has.Size {
		err = os.Truncate(r.Filepath, int64(to.Size))
	}
	if err == nil && has.UidGid {
		err = os.Chown(r.Filepath, int(to.UID), int(to.GID))
	}
	if err == nil && has.Permissions {
		err = os.Chmod(r.Filepath, to.FileMode())
	}
	if err == nil && has.Acmodtime {
		err = os.Chtimes(r.Filepath, to.AccessTime(), to.ModTime())
	}
	return err
}

func (handlers) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	if r.Method == "Stat" {
		return one(os.Stat(r.Filepath))
	}
	entries, err := os.ReadDir(r.Filepath)
	if err != nil {
		return nil, err
	}
	var list infos
	for _, e := range entries {
		if fi, err := e.Info(); err == nil { // else it is gone
			list = append(list, fi)
		}
	}
	return list, nil
}

func (handlers) Lstat(r *sftp.Request) (sftp.ListerAt, error) { return one(os.Lstat(r.Filepath)) }

func (handlers) Readlink(name string) (string, error) { return os.Readlink(name) }

type infos []fs.FileInfo

func one(fi fs.FileInfo, err error) (sftp.ListerAt, error) { return infos{fi}, err }

func (l infos) ListAt(page []fs.FileInfo, offset int64) (int, error) {
	if offset >= int64(len(l)) {
		return 0, io.EOF
	}
	n := copy(page, l[offset:])
	if n < len(page) {
		return n, io.EOF
	}
	return n, nil
}
