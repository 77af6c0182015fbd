package cachefs

import (
	"context"
	"io/fs"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/oserr"
)

// Stat describes a file or directory; of a link, what it leads to. What is here in a copy is described as it was
// recorded, without asking the remote, unless Options.Revalidate says so.
func (c *Fs) Stat(name string) (fs.FileInfo, error) {
	fi, err := c.m.Stat(name, true)
	if err != nil {
		return nil, oserr.Path("stat", name, err)
	}
	return fi, nil
}

// LstatIfPossible is Stat that does not follow a link in the last element. It is always possible.
func (c *Fs) LstatIfPossible(name string) (fs.FileInfo, bool, error) {
	fi, err := c.m.Stat(name, false)
	if err != nil {
		return nil, true, oserr.Path("lstat", name, err)
	}
	return fi, true, nil
}

// ReadlinkIfPossible is the target of a link.
func (c *Fs) ReadlinkIfPossible(name string) (string, error) {
	target, err := c.m.Readlink(name)
	return target, oserr.Path("readlink", name, err)
}

// Fetch makes sure that a whole copy of a file is in the local directory.
func (c *Fs) Fetch(ctx context.Context, name string) error {
	return oserr.Path("fetch", name, c.m.With(ctx).Fetch(name))
}

// Result is the outcome for one file of a Pull.
type Result struct {
	Name     string        // path below the root, without a leading slash
	Bytes    int64         // that were transferred; 0 if the copy was there already
	Duration time.Duration // from its turn to its end
	Err      error
}

// Report says what a Pull did.
type Report struct {
	Results []Result // one for each file, in the order in which they ended
	Bytes   int64    // that were transferred in all
	Failed  int      // results with an error
}

// Pull fetches every file below a directory of which there is no copy, or one of another version than the remote has
// now. The files are fetched several at a time; one that fails does not stop the others. Links are left out.
// So are named pipes, sockets and devices, whose results have an error that matches errors.ErrUnsupported. The error joins
// those of the files and directories; of paths that are too long (syscall.ENAMETOOLONG), which a hostile server may have
// without end, it names one.
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
