package sftptest

import (
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pkg/sftp"
)

// handlers answer the requests of one channel.
type handlers struct {
	tree *tree

	mu   sync.Mutex // guards the following
	last int
	open map[string]*handle
}

var (
	_ sftp.FileReader           = (*handlers)(nil)
	_ sftp.OpenFileWriter       = (*handlers)(nil)
	_ sftp.PosixRenameFileCmder = (*handlers)(nil)
	_ sftp.LstatFileLister      = (*handlers)(nil)
	_ sftp.ReadlinkFileLister   = (*handlers)(nil)
)

// handleName begins what replaces the path in requests on a handle. The library gives FSTAT and FSETSTAT the path by
// which a file was opened, which may lead to another file by now. No name contains a NUL.
const handleName = "/\x00"

func (h *handlers) Fileread(r *sftp.Request) (io.ReaderAt, error)  { return h.openFile(r) }
func (h *handlers) Filewrite(r *sftp.Request) (io.WriterAt, error) { return h.openFile(r) }

func (h *handlers) OpenFile(r *sftp.Request) (sftp.WriterAtReaderAt, error) { return h.openFile(r) }

func (h *handlers) openFile(r *sftp.Request) (*handle, error) {
	if strings.Contains(r.Filepath, "\x00") {
		return nil, sftp.ErrSSHFxBadMessage
	}
	pflags := r.Pflags()
	f, err := h.tree.open(r.Filepath, openFlags(pflags))
	if err != nil {
		return nil, status(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	name := handleName + strconv.Itoa(h.last)
	opened := &handle{
		tree: h.tree, file: f, path: r.Filepath, appends: pflags.Append,
		forget: func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			delete(h.open, name)
		},
	}
	h.open[name] = opened
	r.Filepath = name
	return opened, nil
}

// openFlags leaves O_APPEND to the handle, because the Fs may not support it well.
func openFlags(p sftp.FileOpenFlags) int {
	flag := os.O_RDONLY
	switch {
	case p.Read && p.Write:
		flag = os.O_RDWR
	case p.Write:
		flag = os.O_WRONLY
	}
	if p.Creat {
		flag |= os.O_CREATE
	}
	if p.Excl {
		flag |= os.O_EXCL
	}
	if p.Trunc {
		flag |= os.O_TRUNC
	}
	return flag
}

func (h *handlers) handle(path string) *handle {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.open[path]
}

// Filelist answers OPENDIR, STAT and FSTAT.
func (h *handlers) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	if r.Method == "List" {
		entries, err := h.tree.list(r.Filepath)
		return listing(entries), status(err)
	}
	stat := func() (fs.FileInfo, error) { return h.tree.fs.Stat(r.Filepath) }
	if open := h.handle(r.Filepath); open != nil {
		stat = open.file.Stat
	}
	return one(stat())
}

func (h *handlers) Lstat(r *sftp.Request) (sftp.ListerAt, error) {
	return one(h.tree.lstat(r.Filepath))
}

func (h *handlers) Readlink(name string) (string, error) {
	target, err := h.tree.readlink(name)
	return target, status(err)
}

// PosixRename replaces an existing target.
func (h *handlers) PosixRename(r *sftp.Request) error {
	return status(h.tree.replace(r.Filepath, r.Target))
}

// Filecmd answers the requests that change the tree.
func (h *handlers) Filecmd(r *sftp.Request) error {
	switch r.Method {
	case "Setstat":
		return status(h.setstat(r))
	case "Rename":
		return status(h.tree.rename(r.Filepath, r.Target))
	case "Mkdir":
		return status(h.tree.mkdir(r.Filepath))
	case "Rmdir":
		return status(h.tree.rmdir(r.Filepath))
	case "Remove":
		return status(h.tree.remove(r.Filepath))
	case "Symlink":
		return status(h.tree.symlink(r.Filepath, r.Target))
	}
	return sftp.ErrSSHFxOpUnsupported
}

// setstat answers SETSTAT and FSETSTAT.
func (h *handlers) setstat(r *sftp.Request) error {
	path := r.Filepath
	truncate := func(size int64) error { return h.tree.truncate(path, size) }
	if open := h.handle(path); open != nil {
		path, truncate = open.path, open.file.Truncate
	}
	flags, attrs := r.AttrFlags(), r.Attributes()
	if flags.Size {
		if err := truncate(int64(attrs.Size)); err != nil {
			return err
		}
	}
	if flags.Permissions {
		if err := h.tree.fs.Chmod(path, attrs.FileMode()); err != nil {
			return err
		}
	}
	if flags.UidGid {
		if err := h.tree.fs.Chown(path, int(attrs.UID), int(attrs.GID)); err != nil {
			return err
		}
	}
	if flags.Acmodtime {
		return h.tree.fs.Chtimes(path, time.Unix(int64(attrs.Atime), 0), time.Unix(int64(attrs.Mtime), 0))
	}
	return nil
}
