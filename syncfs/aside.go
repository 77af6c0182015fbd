package syncfs

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// A push moves a file or directory aside where others have to pass (a swap), or where the remote does not replace by
// rename. Other clients see it meanwhile, under a name that says what it is: should this process never come back, nothing
// is lost from sight. In this side's view it has the name that the program knows.

// maxName is the longest name in bytes that file systems take.
const maxName = 255

// asideName is a name that nothing has had before, such as "a.txt (moving 2006-01-02 host 0123abcd)". The mark comes
// last, so that those who look for "*.txt" pass it over.
func asideName(base, why string, day time.Time) string {
	mark := fmt.Sprintf(" (%s %s %s %x)", why, day.UTC().Format(time.DateOnly), cut(hostName(), 64), random(4))
	return cut(base, maxName-len(mark)) + mark
}

// cut shortens a string to so many bytes, between two characters.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

// parkingName names a node's place aside on the remote.
func (s *Fs) parkingName(n *tree.Node) string {
	return asideName(homeOf(n).Name, "moving", s.m.Options().Now())
}

// besides is a name for what stands at a path, while that is replaced.
func (s *Fs) besides(path string) string {
	dir, name := tree.Split(path)
	return tree.Join(dir, asideName(name, "replaced", s.m.Options().Now()))
}

// homeOf is where the remote has a node, or had it before it was moved aside.
func homeOf(n *tree.Node) *tree.Home {
	if n.Parked() {
		return n.Diff.Home
	}
	dir, name := n.Base()
	return &tree.Home{Dir: dir.ID, Name: name}
}

// homeDir is the directory in which a node that is aside was before; nil if the remote does not have that any more.
func homeDir(t *tree.Tree, n *tree.Node) *tree.Node {
	if dir := t.Dir(n.Diff.Home.Dir); dir != nil && dir.HasBase() {
		return dir
	}
	return nil
}

// origin is the path on the remote under which a program knows a node: where it was before it, or a directory above,
// was moved aside.
func origin(t *tree.Tree, n *tree.Node) string {
	for up, below := n, ""; !up.IsRoot(); {
		dir, name := up.Base()
		if dir == nil {
			break
		}
		if up.Parked() {
			if home := homeDir(t, up); home != nil {
				return tree.Join(home.RemotePath(), up.Diff.Home.Name) + below
			}
		}
		up, below = dir, "/"+name+below
	}
	return n.RemotePath()
}

// sendHome brings a node that was moved aside back to where it was, after a step for which it had made way has failed.
// If others have taken the name, or something has happened to the node, it stays where it is, for all to see.
func (s *Fs) sendHome(n *tree.Node) error {
	var step tree.Step
	var b base
	err := s.m.Do(func(v *mirror.View) error {
		if v.Tree().Node(n.ID) != n || !n.Parked() || !n.HasBase() || n.Diff.Intent != nil {
			return nil
		}
		dir, name := homeDir(v.Tree(), n), n.Diff.Home.Name
		if dir == nil || dir.OnRemote(name) != nil {
			return nil
		}
		b = baseOf(n)
		step = tree.Step{Op: tree.Rename, Node: n, From: n.RemotePath(), Path: tree.Join(dir.RemotePath(), name),
			To: tree.Slot{Dir: dir, Name: name}}
		return nil
	})
	if err != nil || step.Node == nil {
		return err
	}
	source, target := s.askBoth(step.From, step.Path)
	if err := b.check(source, Fail, false); err != nil {
		return err
	}
	if err := (base{known: tree.Absent, kind: n.Kind}).check(target, Fail, false); err != nil {
		return err
	}
	return s.move(step, source.Meta, tree.Move, false, &Result{})
}

// stay has the program see a node which is aside where the remote has it. It is the end of a way home that others have
// blocked.
func (s *Fs) stay(n *tree.Node, reason error) error {
	return s.m.Do(func(v *mirror.View) error {
		if v.Tree().Node(n.ID) != n || !n.Parked() || n.Diff.Intent != nil {
			return reason
		}
		dir, name := n.Base()
		to := tree.Join(dir.Path(), name)
		if _, err := v.Local().Lstat(to); err == nil || !dir.InView() || dir.Kid(name) != nil {
			return reason
		}
		var actions []action
		if from := n.Path(); here(v, n, from) {
			actions = append(actions, action{Kind: tree.RenameLocal, From: from, To: to})
		}
		v.Tree().Note(n, v.Now()).Home = nil
		v.Tree().Move(n, dir, name, tree.Absent, v.Now())
		v.RemoteChanged()
		return v.Save(actions...)
	})
}

// goesHome says whether a step brings a node back to where it was before it was moved aside.
func (s *Fs) goesHome(step tree.Step) (yes bool) {
	_ = s.m.Do(func(*mirror.View) error { // else it is closed
		n := step.Node
		yes = n.Parked() && *n.Diff.Home == tree.Home{Dir: step.To.Dir.ID, Name: step.To.Name}
		return nil
	})
	return yes
}

// errLeftAside says that what was moved aside could not be put back. The intent names the place: the next push does it.
var errLeftAside = errors.New("what was there is aside")
