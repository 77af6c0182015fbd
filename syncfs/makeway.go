package syncfs

import (
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// awaitsRequest reports whether an earlier request may still bring something to a name of the remote.
func (s *Fs) awaitsRequest(name string) bool {
	return s.holds(func(v *mirror.View) bool { return v.Tree().AtRemote(name) != nil && v.Tree().Brings(name) })
}

// renew takes a file that the remote does not have, because Push has removed it or the remote has taken it, for a new one
// if the program has renamed it since: there is nothing to rename.
func renew(v *mirror.View) {
	var moved []*tree.Node
	v.Tree().Pending(func(n *tree.Node) {
		if n.Kind == tree.File && n.Known == tree.Absent && n.HasBase() && n.Moved() && n.Local() && n.Diff.Intent == nil {
			moved = append(moved, n)
		}
	})
	for _, n := range moved {
		dest := n.Diff.Dest
		v.Tree().Erased(n, v.Now())
		n.Diff.Dest = dest
	}
}

// makeWay removes the file that a delivery replaces if an earlier delivery may still write to it: what is written late goes
// to the removed file. That the remote no longer has it is recorded before.
func (s *Fs) makeWay(d *delivery, i *tree.Intent) error {
	if i.From == "" {
		return nil
	}
	record := func(known tree.Answer) error {
		return s.m.Do(func(v *mirror.View) error {
			if n := v.Tree().AtRemote(i.To); n != nil {
				v.Tree().Edit(n).Known = known
				v.Tree().Touch(n)
			}
			return nil
		})
	}
	if err := record(tree.Absent); err != nil {
		return err
	}
	err := remote.Error(s.m.Remote().Fs().Remove(s.m.Remote().Name(i.To)))
	if refused(err) && !remote.Absent(err) {
		return record(tree.Exists)
	}
	if err == nil || remote.Absent(err) {
		d.was, err = remote.Answer{Known: tree.Absent}, nil
	}
	return err
}
