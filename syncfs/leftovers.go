package syncfs

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Temporary files of this client are in the tree, and the next push removes them. Other clients may have left temporary
// files, and so may this client if its records were lost. They prevent the removal of their directory.

// leftoverAge is the age from which a temporary file counts as abandoned.
const leftoverAge = 24 * time.Hour

// empty returns an error if a directory of the remote can't be removed after the entries that this client knows: if it
// has other entries, or temporary files of other clients that are too young. If sweep is set, it removes the older
// ones.
func (s *Fs) empty(dir *tree.Node, path string, sweep bool) error {
	names, reserved, err := s.m.Remote().AskNames(path)
	if err != nil {
		return err
	}
	var others []fs.FileInfo
	err = s.m.Do(func(*mirror.View) error {
		names = slices.DeleteFunc(names, func(name string) bool { return dir.OnRemote(name) != nil })
		others = slices.DeleteFunc(reserved, func(fi fs.FileInfo) bool { return dir.OnRemote(fi.Name()) != nil })
		return nil
	})
	switch {
	case err != nil:
		return err
	case len(names) > 0:
		return conflict("made there since: " + strings.Join(names[:min(len(names), 3)], ", "))
	case len(others) == 0:
		return nil
	}
	now, err := s.remoteNow(path)
	if err != nil {
		return err
	}
	var young []string
	var until time.Time
	for _, fi := range others {
		name, end := fi.Name(), fi.ModTime().Add(leftoverAge)
		switch {
		case !fi.Mode().IsRegular() || strings.EqualFold(name, localdir.StateDir):
			return fmt.Errorf("%w: %s is no temporary file of this library's: remove it by hand", syscall.ENOTEMPTY, name)
		case now.Before(end):
			young = append(young, name)
			if end.After(until) {
				until = end
			}
		case sweep:
			err := remote.Error(s.m.Remote().Fs().Remove(s.m.Remote().Name(tree.Join(path, name))))
			if err != nil && !remote.Absent(err) {
				return fmt.Errorf("temporary file of another client, %s: %w", name, err)
			}
		}
	}
	if young != nil {
		return fmt.Errorf("%w: temporary files of another client are in it: %s; they are taken for abandoned, and removed, "+
			"from %s by the server's clock", syscall.ENOTEMPTY, strings.Join(young[:min(len(young), maxErrors)], ", "),
			until.UTC().Format(time.DateTime))
	}
	return nil
}

// remoteNow returns the time on the remote. If that is unknown, it makes a file in a directory and learns the time from
// its mtime.
func (s *Fs) remoteNow(path string) (time.Time, error) {
	s.timing.Lock()
	defer s.timing.Unlock()
	if !s.m.Clock().Compared() {
		made, err := s.timestamp(path)
		if err != nil {
			return made, err
		}
		s.m.Clock().Compare(made.UnixNano())
	}
	return s.m.Clock().Now(), nil
}

// timestamp makes a file, returns its mtime, and removes it.
func (s *Fs) timestamp(path string) (made time.Time, err error) {
	name, err := s.tempPath(tree.Join(path, "time"))
	if err != nil {
		return made, err
	}
	var n *tree.Node
	err = s.m.Do(func(v *mirror.View) (err error) {
		n, err = temporary(v, name)
		return err
	})
	if err == nil {
		err = s.m.SyncLog()
	}
	if err != nil {
		return made, err
	}
	f, err := s.m.Remote().Fs().OpenFile(s.m.Remote().Name(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		err = f.Close()
	}
	if err = remote.Error(err); err == nil {
		a := s.m.Remote().Ask(name)
		made, err = time.Unix(0, a.Meta.MTime), a.Err
	}
	if err != nil && outcomeUnknown(err) {
		return made, err
	}
	if sweepErr := s.sweep(n, name); err == nil {
		err = sweepErr
	}
	return made, err
}
