package mirror

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// A user's file has no node to which a handle could be bound. Until the first write makes it a node, its handle knows
// the file by its local name, which follows the renames of this Fs. A file that was removed is in the trash. Writes to
// it are invisible.

// followUsers makes the handles on users' files follow renames in the local directory. m.mu is held.
func (m *state) followUsers(actions []tree.Action) {
	for o, name := range m.usersOpen {
		for _, a := range actions {
			switch {
			case a.Kind != tree.RenameLocal:
			case tree.Within(name, a.From):
				name = a.To + strings.TrimPrefix(name, a.From)
			case tree.Within(name, a.To): // it was replaced
				name = ""
			}
		}
		m.usersOpen[o] = name
	}
}

// errNowhere: a user's file has no name any more.
var errNowhere = errors.New("the file was removed")

// becomeNode makes a changed node of a user's file. The error is errNowhere if the file has no name in the view.
func (o *opened) becomeNode() error {
	for {
		o.m.mu.Lock()
		name := o.m.usersOpen[o]
		o.m.mu.Unlock()
		if name == "" || tree.Within(name, localdir.StateDir) {
			return errNowhere
		}
		n, err := o.adopt(name)
		o.m.mu.Lock()
		moved := o.m.usersOpen[o] != name
		if !moved && err == nil {
			delete(o.m.usersOpen, o)
			o.node, o.shared = n, o.m.view().share(n)
		}
		o.m.mu.Unlock()
		switch {
		case moved:
		case errors.Is(err, fs.ErrNotExist):
			return errNowhere
		default:
			return err
		}
	}
}
