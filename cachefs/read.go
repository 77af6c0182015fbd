package cachefs

import (
	"context"
	"io/fs"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/oserr"
)

// Stat describes a file or directory, and follows symbolic links. A file with a local copy is described as it was recorded,
// without asking the remote, unless revalidation is due (see Options.Revalidate).
func (c *Fs) Stat(name string) (fs.FileInfo, error) {
	fi, err := c.m.Stat(name, true)
	if err != nil {
		return nil, oserr.Path("stat", name, err)
	}
	return fi, nil
}

// LstatIfPossible is Stat, but does not follow a symbolic link in the last element. It is always possible.
func (c *Fs) LstatIfPossible(name string) (fs.FileInfo, bool, error) {
	fi, err := c.m.Stat(name, false)
	if err != nil {
		return nil, true, oserr.Path("lstat", name, err)
	}
	return fi, true, nil
}

// ReadlinkIfPossible returns the target of a symbolic link.
func (c *Fs) ReadlinkIfPossible(name string) (string, error) {
	target, err := c.m.Readlink(name)
	return target, oserr.Path("readlink", name, err)
}

// Fetch downloads a file if there is no complete and current copy of it in the local directory.
func (c *Fs) Fetch(ctx context.Context, name string) error {
	return oserr.Path("fetch", name, c.m.With(ctx).Fetch(name))
}

// Result is the outcome for one file of a Pull.
type Result struct {
	Name     string        // path below the root, without a leading slash
	Bytes    int64         // transferred; 0 if the copy was there already
	Duration time.Duration // from the start of this file to its end
	Err      error
}

// Report is the outcome of a Pull.
type Report struct {
	Results []Result // one for each file, in the order in which they ended
	Bytes   int64    // transferred in all
	Failed  int      // results with an error
}

// Pull downloads every file below a directory that has no local copy, or a copy of an older version. It downloads several
// files at a time, and a file that fails does not stop the others. Pull skips symbolic links. It also skips named pipes,
// sockets and devices; their results have an error that matches errors.ErrUnsupported. The returned error joins the errors
// of all files and directories. Of paths that are too long (syscall.ENAMETOOLONG), it contains only the first, because a
// hostile server may have any number of them.
func (c *Fs) Pull(ctx context.Context, dir string) (Report, error) {
	pulled, err := c.m.With(ctx).Pull(dir)
	var r Report
	for _, p := range pulled {
		r.Results = append(r.Results, Result(p))
		r.Bytes += p.Bytes
		if p.Err != nil {
			r.Failed++
		}
	}
	return r, err
}
