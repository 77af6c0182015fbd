package mirror

import (
	"cmp"
	"io/fs"
	"strings"
	"syscall"

	"github.com/sftpsyncer/go-syncfs/internal/detour"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// maxLinks bounds the symbolic links that a path may lead through, as on Linux.
const maxLinks = 40

// Place is what the view has under a name. At most one of Node and Local is set. If neither is, Answer is the remote's
// answer.
type Place struct {
	Dir    *tree.Node // the directory; nil for the root
	Name   string
	Node   *tree.Node     // what the tree has there
	Local  *localdir.Info // what the user put there
	Answer remote.Answer
}

// Exists reports whether the place has something. If that is unknown, the error does not match fs.ErrNotExist.
func (p Place) Exists() (bool, error) {
	switch {
	case p.Node != nil || p.Local != nil || p.Answer.Known == tree.Exists:
		return true, nil
	case p.Answer.Known == tree.Absent:
		return false, nil
	}
	return false, p.Answer.Err
}

// Err is nil if the place has something, fs.ErrNotExist if it has nothing, and otherwise why that is unknown.
func (p Place) Err() error {
	ok, err := p.Exists()
	if err == nil && !ok {
		err = fs.ErrNotExist
	}
	return err
}

// Kind returns the kind of the entry at the place.
func (p Place) Kind() tree.Kind {
	switch {
	case p.Node != nil:
		return p.Node.Kind
	case p.Local != nil:
		return tree.KindOf(p.Local.Mode)
	}
	return p.Answer.Kind
}

// Mode returns the mode of the remote's entry at the place; 0 if there is none or it is unknown.
func (p Place) Mode() fs.FileMode {
	if p.Node != nil {
		return p.Node.Meta.Mode
	}
	return p.Answer.Meta.Mode
}

func (p Place) target() string {
	if p.Node != nil {
		return p.Node.Target()
	}
	return p.Answer.Target
}

// Path returns the path of the place in the view.
func (p Place) Path() string {
	if p.Dir == nil {
		return "."
	}
	return tree.Join(p.Dir.Path(), p.Name)
}

// Find resolves a clean path. It follows symbolic links, in the last element only if follow is set. If the last element is
// missing, the Place says so; a missing directory above is an error.
func (v *View) Find(name string, follow bool) (Place, error) {
	dir, rest, links := v.tree.Root(), elements(name), 0
	place := Place{Node: dir}
	for len(rest) > 0 {
		element := rest[0]
		rest = rest[1:]
		if element == ".." { // only in the target of a symbolic link
			if dir.Parent() != nil {
				dir = dir.Parent()
			}
			place = v.at(dir)
			continue
		}
		var err error
		if place, err = v.child(dir, element, len(rest) == 0); err != nil {
			return Place{}, err
		}
		if place.Local == nil && place.Kind() == tree.Link && (follow || len(rest) > 0) {
			if links++; links > maxLinks {
				return Place{}, syscall.ELOOP
			}
			target := place.target()
			if strings.HasPrefix(target, "/") {
				dir = v.tree.Root()
			}
			rest = append(targetElements(target), rest...)
			place = v.at(dir)
			continue
		}
		if len(rest) > 0 {
			if dir, err = v.Enter(place); err != nil {
				return Place{}, err
			}
		}
	}
	if place.Dir == nil {
		return place, v.refreshRoot()
	}
	return place, nil
}

// at returns the place of a directory that was entered.
func (v *View) at(dir *tree.Node) Place { return Place{Dir: dir.Parent(), Name: dir.Name(), Node: dir} }

// targetElements splits the target of a symbolic link. It keeps "..", whose meaning depends on where symbolic links
// lead.
func targetElements(target string) []string {
	var elements []string
	for _, e := range strings.Split(target, "/") {
		if e != "" && e != "." {
			elements = append(elements, e)
		}
	}
	return elements
}

// child looks up a name in a directory. For the last element, and for everything but directories, it compares the node
// with the local disk, and with the remote if revalidation is due.
func (v *View) child(dir *tree.Node, name string, last bool) (Place, error) {
	p := Place{Dir: dir, Name: name}
	if localdir.Reserved(name) {
		p.Answer = remote.Answer{Known: tree.Absent, Err: fs.ErrNotExist}
		return p, nil
	}
	for _, check := range []func(*tree.Node) error{v.Verify, v.refresh} {
		if n := dir.Kid(name); n != nil && (last || n.Kind != tree.Dir) {
			if err := check(n); err != nil {
				return p, err
			}
		}
	}
	if p.Node = dir.Kid(name); p.Node != nil {
		return p, nil
	}
	info, err := v.local.Lstat(tree.Join(dir.Path(), name))
	switch {
	case err == nil:
		p.Local = &info
		return p, nil
	case !localdir.Missing(err):
		return p, err
	}
	asked := tree.Join(dir.RemotePath(), name)
	if _, hidden := dir.Hidden(name); hidden || !dir.HasBase() || detour.Targets(v.tree)[asked] {
		p.Answer = remote.Answer{Known: tree.Absent, Err: fs.ErrNotExist}
		return p, nil
	}
	p.Answer, err = v.cachedAnswer(asked)
	return p, err
}

// Enter returns the node of the directory at a place, so that something below it can be looked up.
func (v *View) Enter(p Place) (*tree.Node, error) {
	if err := p.Err(); err != nil {
		return nil, err
	}
	switch {
	case p.Kind() != tree.Dir:
		return nil, syscall.ENOTDIR
	case p.Node != nil:
		return p.Node, nil
	}
	return v.Materialize(p), nil
}

// Materialize returns the node of a place. If there is none, it makes one: a discovered node for an entry of the
// remote, an assumed node for a directory that the user made. The place must not be a user's file.
func (v *View) Materialize(p Place) *tree.Node {
	switch {
	case p.Node != nil:
		return p.Node
	case p.Local != nil:
		meta := tree.Meta{Mode: p.Local.Mode, MTime: p.Local.Stamp.MTime}
		return v.tree.Assume(p.Dir, p.Name, meta, v.Now())
	}
	n := v.tree.Discover(p.Dir, p.Name, p.Answer.Kind, p.Answer.Meta, cmp.Or(p.Answer.At, v.Now()))
	n.SetTarget(p.Answer.Target)
	return n
}
