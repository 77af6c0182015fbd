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

// maxLinks is how many links a path may lead through, as on Linux.
const maxLinks = 40

// Place is what is under a name. At most one of Node and Local is set; with neither, Answer says what the remote has.
type Place struct {
	Dir    *tree.Node // the directory; nil for the root
	Name   string
	Node   *tree.Node     // what the tree has there
	Local  *localdir.Info // what the user put there
	Answer remote.Answer
}

// Exists says whether there is something. Unknown is an error that is not fs.ErrNotExist.
func (p Place) Exists() (bool, error) {
	switch {
	case p.Node != nil || p.Local != nil || p.Answer.Known == tree.Exists:
		return true, nil
	case p.Answer.Known == tree.Absent:
		return false, nil
	}
	return false, p.Answer.Err
}

// Err is nil if there is something, fs.ErrNotExist if there is not, else the reason why that is not known.
func (p Place) Err() error {
	ok, err := p.Exists()
	if err == nil && !ok {
		err = fs.ErrNotExist
	}
	return err
}

// Kind of what is there.
func (p Place) Kind() tree.Kind {
	switch {
	case p.Node != nil:
		return p.Node.Kind
	case p.Local != nil:
		return tree.KindOf(p.Local.Mode)
	}
	return p.Answer.Kind
}

// Mode of what the remote has there; 0 if that is nothing, or not known.
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

// Path of the place in the view.
func (p Place) Path() string {
	if p.Dir == nil {
		return "."
	}
	return tree.Join(p.Dir.Path(), p.Name)
}

// Find resolves a clean path. Links in it are followed, the last element's only if follow is set. What is missing
// shows in the Place, unless it is a directory above.
func (v *View) Find(name string, follow bool) (Place, error) {
	dir, rest, links := v.tree.Root(), elements(name), 0
	place := Place{Node: dir}
	for len(rest) > 0 {
		element := rest[0]
		rest = rest[1:]
		if element == ".." { // of a link's target
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

// at is the place of a directory that has been entered.
func (v *View) at(dir *tree.Node) Place { return Place{Dir: dir.Parent(), Name: dir.Name(), Node: dir} }

// targetElements splits the target of a link; ".." stays, to be followed where it leads.
func targetElements(target string) []string {
	var elements []string
	for _, e := range strings.Split(target, "/") {
		if e != "" && e != "." {
			elements = append(elements, e)
		}
	}
	return elements
}

// child is what is under a name in a directory. If it is the last element, or no directory, what is known is compared
// with what is on the local disk and, if that is due, asked about again.
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
	p.Answer, err = v.Heard(asked)
	return p, err
}

// Enter is the directory at a place as a node, for something below it to be looked at.
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

// Materialize is the node of a place, made if there is none yet: for what the remote has, one that is discovered;
// for a directory of the user's, one that is assumed. A file of the user's has none.
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
