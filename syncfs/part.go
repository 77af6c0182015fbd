package syncfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// claim records that an upload may leave a temporary file in the directory of its target. The name is a new one each
// time: what an earlier upload has sent may still arrive.
func (s *Fs) claim(step tree.Step) (part *tree.Node, err error) {
	err = s.m.Do(func(v *mirror.View) error {
		t, dir := v.Tree(), step.To.Dir
		if t.Node(dir.ID) != dir || !dir.HasBase() {
			return fmt.Errorf("%w: its directory was removed meanwhile", ErrBusy)
		}
		part = t.Hide(dir, newTempName(".part"), tree.File, tree.Unknown, tree.Meta{}, v.Now())
		part.Temp = true
		return nil
	})
	if err == nil {
		err = s.m.SyncLog()
	}
	return part, err
}

// lasting makes the local bytes of a file survive the loss of power: older ones would pass for an edit of what was
// sent.
func (s *Fs) lasting(name string) error {
	f, err := s.m.Local().OpenFile(name, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrPermission) {
		f, err = s.m.Local().OpenFile(name, os.O_RDONLY, 0)
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// sweep removes a temporary file.
func (s *Fs) sweep(part *tree.Node, path string) error {
	err := mirror.Remote(s.m.RemoteFs().Remove(s.m.RemoteName(path)))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return s.m.Do(func(v *mirror.View) error {
		if v.Tree().Node(part.ID) == part {
			v.Tree().Erased(part, v.Now())
		}
		return nil
	})
}

// swept records that the temporary file of an upload has been renamed.
func swept(v *mirror.View, i *tree.Intent) {
	dir := v.Tree().Node(i.Dir)
	if dir == nil {
		return
	}
	if part := dir.OnRemote(path.Base(i.From)); part != nil && part.Temp {
		v.Tree().Erased(part, v.Now())
	}
}

// baseName of a node on the remote.
func baseName(n *tree.Node) string {
	_, name := n.Base()
	return name
}
