package localstore

import (
	"cmp"
	"errors"
	"slices"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// settle appends the records that are owed.
func (s *Store) settle() error {
	if len(s.owed) == 0 {
		return nil
	}
	for len(s.owed) > 0 {
		if err := s.log.Append(s.owed[0]); err != nil {
			return err
		}
		s.owed = s.owed[1:]
	}
	s.appended = s.tree.Seq() // no transaction is taken while a record is owed
	return nil
}

// Save records the changes of the tree, then changes the local directory accordingly. If either fails, it restores the
// previous state.
func (s *Store) Save(actions ...tree.Action) error {
	err := s.settle()
	var copies []*tree.Node
	sync := false
	all := actions
	if err == nil {
		actions, copies, sync = s.identify(all)
		if rec := s.tree.Take(actions); rec != nil {
			if err = s.log.Append(rec); err == nil {
				s.appended = s.tree.Seq()
			}
		}
	}
	if err != nil {
		s.tree.Rollback(false)
		return err
	}
	s.moves(all)
	if sync {
		err = s.syncAnyway() // rarely: see mistakable
	}
	if err == nil {
		err = s.act(actions, sync)
	}
	if err != nil {
		s.tree.Rollback(true)
		if rec := s.tree.Take(nil); rec != nil {
			s.owed = append(s.owed, rec)
		}
		s.tree.Commit()
		return errors.Join(err, s.settle())
	}
	s.tree.Commit()
	s.restamp(copies)
	s.compact()
	return nil
}

// identify adds inode numbers to the renames. It returns the actions to record, and the nodes among the renamed files
// that are untouched copies. sync tells that the loss of power could leave a file under a name where it would pass for
// another one: if the record is lost, for the one that it replaces, and if the rename is lost, for one that the user has
// put over a file of the remote. A file that is renamed twice is still under its first name now. A rename of a missing
// file is left out: if it were recorded, a restart could make it when the name has other bytes.
func (s *Store) identify(all []tree.Action) (actions []tree.Action, copies []*tree.Node, sync bool) {
	origins := map[string]string{}
	for i, a := range all {
		if a.Kind != tree.RenameLocal {
			actions = append(actions, a)
			continue
		}
		origin := cmp.Or(origins[a.From], a.From)
		info, err := s.local.Lstat(origin)
		brought := func(b tree.Action) bool { return b.To != "" && tree.Within(a.From, b.To) }
		if localdir.Missing(err) && !slices.ContainsFunc(all[:i], brought) {
			continue
		}
		origins[a.To] = origin
		a.Ino = info.Stamp.Ino
		actions = append(actions, a)
		if err != nil {
			continue
		}
		// The node that has this name now must not be mistaken for the owner of these bytes.
		if n := s.tree.Lookup(a.From); n != nil && n.Kind == tree.File {
			if n.Local() {
				sync = sync || sameStamp(tree.Stamp(info.Stamp), n.Copy().Stamp)
			} else {
				sync = sync || tree.Within(a.To, localdir.TrashDir)
			}
		}
		if there, err := s.local.Lstat(a.To); err == nil && !isOwn(a.To) {
			sync = sync || mistakable(info, there)
		}
		n := s.tree.Lookup(a.To)
		if n != nil && n.Content() == tree.Owned && n.Copy().Stamp == tree.Stamp(info.Stamp) {
			copies = append(copies, n)
		}
	}
	return actions, copies, sync
}

// restamp updates the stamps of untouched copies, because their rename has changed their ctime. The new stamps go into
// the next record; if they are lost, the hash will show that the copies are untouched.
func (s *Store) restamp(copies []*tree.Node) {
	for _, n := range copies {
		if info, err := s.local.Lstat(n.Path()); err == nil {
			s.tree.Restamp(n, tree.Stamp(info.Stamp))
		}
	}
}
