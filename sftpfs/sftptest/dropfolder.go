package sftptest

import (
	"slices"
	"sync"

	"github.com/spf13/afero"
)

// A File is a file that a DropFolder has taken.
type File struct {
	Path    string
	Content []byte
}

// DropFolder removes a file from the tree when a client that has it open for writing closes it. Server.Taken returns it. Servers
// that hand each upload over to another program do so.
func DropFolder() Character {
	return func(o *Options) {
		taken := new(takenFiles)
		o.taken = taken
		o.Hooks = append(o.Hooks, func(r *Request) Answer {
			a := r.Next()
			if r.endsWriting() && a.Status == StatusOK {
				taken.add(r.tree(), r.Path)
			}
			return a
		})
	}
}

// Taken returns the files that DropFolder has taken since New, in order.
func (s *Server) Taken() []File {
	if s.opts.taken == nil {
		return nil
	}
	return s.opts.taken.all()
}

type takenFiles struct {
	mu    sync.Mutex // guards the fields below
	files []File
}

// add takes the file name, unless it is gone.
func (t *takenFiles) add(tree *tree, name string) {
	content, err := tree.take(name)
	if err != nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.files = append(t.files, File{name, content})
}

func (t *takenFiles) all() []File {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.files)
}

// take removes a file and returns its content.
func (t *tree) take(name string) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	content, err := afero.ReadFile(t.fs, name)
	if err == nil {
		err = t.fs.Remove(name)
	}
	return content, err
}
