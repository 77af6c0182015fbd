package mirror

import (
	"io/fs"

	"github.com/sftpsyncer/go-syncfs/internal/handle"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// openDir is the content of a Dir. It is bound to the node, not the name.
type openDir struct {
	m    *FS
	node *tree.Node
}

// OpenDir opens a directory of the view.
func (v *View) OpenDir(n *tree.Node, name string) *Dir {
	v.openDirs[n.ID]++
	return handle.NewDir[handleLock](openDir{v.m, n}, name)
}

// List lists the directory. A directory that was removed while it was open is empty.
func (d openDir) List(bare bool) (infos []tree.Info, err error) {
	err = d.m.Do(func(v *View) error {
		if !d.node.InView() || v.tree.Node(d.node.ID) != d.node {
			infos = nil
			return nil
		}
		infos, err = v.listAbout(d.node, v.askable, bare)
		return err
	})
	return infos, err
}

func (d openDir) Stat(name string) (fs.FileInfo, error) {
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	return tree.NewInfo(name, d.m.view().shown(d.node)), nil
}

func (d openDir) Close() {
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	if d.m.openDirs[d.node.ID]--; d.m.openDirs[d.node.ID] == 0 {
		delete(d.m.openDirs, d.node.ID)
	}
}
