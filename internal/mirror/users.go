package mirror

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// A file of the user's has no node to which a handle could be bound. Until it is written first, and becomes one, its
// handle goes by the name that it has in the local directory, which follows what this side does: where a file was moved
// to is where it is written. One that was removed is in the trash, and written without anybody seeing it.

// followUsers lets the handles on files of the user's follow renames in the local directory. The mirror is locked.
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

// errNowhere says that a file of the user's has no name any more.
var errNowhere = errors.New("the file was removed")

// becomeNode turns a file of the user's into one that the program has changed. The error is errNowhere if the file has no
// name in the view.
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
