package syncfs

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// A push moves a file or directory aside if files change places (a swap), or if the remote does not replace by rename.
// Meanwhile other clients see it under a descriptive name: should this process never come back, nothing has
// disappeared. In this client's view it keeps the name that the program knows.

// maxName is the longest name, in bytes, that file systems accept.
const maxName = 255

// asideName returns a new name, such as "a.txt (moving 2006-01-02 host 0123abcd)". The mark comes last, so that
// programs that look for "*.txt" ignore the file.
func asideName(base, why string, day time.Time) string {
	mark := fmt.Sprintf(" (%s %s %s %x)", why, day.UTC().Format(time.DateOnly), hostName(), random(4))
	return cut(base, maxName-len(mark)) + mark
}

// cut shortens a string to at most that many bytes, between two characters.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for end := most; end > most-utf8.UTFMax; end-- {
		if end == 0 || utf8.RuneStart(s[end]) {
			return s[:end]
		}
	}
	return s[:most] // not UTF-8
}

// parkingName returns a new name for a node that is moved aside on the remote.
func (s *Fs) parkingName(n *tree.Node) string {
	return asideName(homeOf(n).Name, "moving", s.m.Options().Now())
}

// besides returns a new path for what is at a path, while it is being replaced.
func (s *Fs) besides(path string) string {
	if s.tempName != nil { // the remote may refuse other names
		if name, err := s.tempPath(path); err == nil {
			return name
		}
	}
	dir, name := tree.Split(path)
	return tree.Join(dir, asideName(name, "replaced", s.m.Options().Now()))
}

// homeOf returns the place of a node on the remote. If the node is aside, that is its place before.
func homeOf(n *tree.Node) *tree.Home {
	if n.Parked() {
		return n.Diff.Home
	}
	dir, name := n.Base()
	return &tree.Home{Dir: dir.ID, Name: name}
}

// homeDir returns the directory of a node before the node was moved aside; nil if the remote no longer has it.
func homeDir(t *tree.Tree, n *tree.Node) *tree.Node {
	if dir := t.Dir(n.Diff.Home.Dir); dir != nil && dir.HasBase() {
		return dir
	}
	return nil
}

// origin returns the path on the remote under which a program knows a node: its path before it, or a directory above
// it, was moved aside.
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

// sendHome moves a node back that was moved aside, after the step that it made way for has failed. If another client
// has taken the name or changed the node, it stays where it is, for all to see.
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
	return s.move(step, source, target, tree.Move, false, &Result{})
}

// stay makes the view show a node that is aside under its name on the remote, because another client has taken its old
// name. If that is impossible, it returns reason.
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

// goesHome reports whether a step moves a node back to where it was before it was moved aside.
func (s *Fs) goesHome(step tree.Step) bool {
	return s.holds(func(*mirror.View) bool {
		n := step.Node
		return n.Parked() && *n.Diff.Home == tree.Home{Dir: step.To.Dir.ID, Name: step.To.Name}
	})
}

// errLeftAside: what was moved aside could not be moved back. The intent names the place, and the next push moves it
// back.
var errLeftAside = errors.New("what was there is aside")
