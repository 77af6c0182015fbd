package syncfs

import (
	"errors"
	"fmt"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// base is the version that a change was made to: what the program was shown last under a name. For a file with a local
// copy, that is the version of the copy, whatever the remote has answered since. Otherwise it is the remote's last
// answer.
type base struct {
	known  tree.Answer
	kind   tree.Kind
	meta   tree.Meta
	target string     // of a symbolic link
	hash   *tree.Hash // of the content; set if size and mtime are unknown, or may not tell it from another version
}

// baseOf returns the base of a node that the remote has.
func baseOf(n *tree.Node) base {
	if n.IsRoot() {
		return base{known: tree.Exists, kind: tree.Dir}
	}
	b := base{known: n.Known, kind: n.Kind, meta: n.Seen(), target: n.Target()}
	switch {
	case n.Content() == tree.Owned && n.Known == tree.Absent: // the remote has taken it
	case n.Content() == tree.Owned:
		b.known = tree.Exists
		if n.Copy().Unsure {
			h := n.Copy().Hash
			b.hash = &h
		}
	case n.Diff != nil:
		b.hash = n.Diff.Base
	}
	return b
}

// targetBase returns the base of the name that a step writes to.
func targetBase(v *mirror.View, step tree.Step) base {
	n := step.Node
	if r := step.Replaces; r != nil && v.Tree().Node(r.ID) == r && r.HasBase() {
		return baseOf(r)
	}
	if dir, name := n.Base(); dir == step.To.Dir && name == step.To.Name {
		return baseOf(n)
	}
	if n.Diff == nil {
		return base{}
	}
	return base{known: n.Diff.Dest, hash: n.Diff.Base}
}

// check compares what the remote has with the base. It alone decides what is a conflict.
//
// An unknown base means that the file was given to Add, or created offline: it replaces any file. But a removal with an
// unknown base is a conflict, because it would remove something unseen. The method compare checks the content.
func (b base) check(now remote.Answer, policy ConflictPolicy, removal bool) error {
	switch {
	case now.Known == tree.Unknown && !errors.Is(now.Err, errCannotLook):
		return now.Err
	case now.Known == tree.Unknown && (policy == Overwrite || b.known == tree.Unknown && !removal):
		return nil
	case now.Known == tree.Unknown:
		return fmt.Errorf("%w: %w", ErrConflict, now.Err)
	case now.Known == tree.Absent:
		if b.known == tree.Exists && policy != Overwrite && !removal {
			return conflict("it was removed there")
		}
		return nil
	case b.known == tree.Absent && policy != Overwrite:
		return conflict("it was made there")
	case b.known == tree.Exists && now.Kind != b.kind,
		b.known != tree.Exists && (now.Kind == tree.Dir) != (b.kind == tree.Dir):
		return conflict("it is a " + kindName(now.Kind) + " there")
	case policy == Overwrite:
		return nil
	case b.known == tree.Unknown && removal && b.hash == nil:
		return conflict("it was not seen when it was removed here")
	case b.known == tree.Exists && b.kind == tree.File && !now.Meta.SameVersion(b.meta):
		return conflict("it was written there")
	case b.known == tree.Exists && b.kind == tree.Link && now.Target != b.target:
		return conflict("it leads elsewhere there")
	}
	return nil
}

// errCannotLook: the remote refuses to tell what it has.
var errCannotLook = errors.New("cannot look")

// ask asks the remote about a name whose base is to be checked.
func (s *Fs) ask(name string) remote.Answer {
	a := s.m.Remote().Ask(name)
	if s.direct && a.Known == tree.Unknown && forbidden(a.Err) {
		a.Err = fmt.Errorf("%w: %w", errCannotLook, a.Err)
	}
	return a
}

func conflict(why string) error { return fmt.Errorf("%w: %s", ErrConflict, why) }

func kindName(k tree.Kind) string {
	switch k {
	case tree.Dir:
		return "directory"
	case tree.Link:
		return "link"
	}
	return "file"
}
