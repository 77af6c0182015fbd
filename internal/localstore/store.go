package localstore

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/statelog"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

const logName = localdir.StateDir + "/log"

// Store manages a tree and the names of a local directory, and records both. Its user guards the Store, the tree and
// the metadata of the directory with one lock. The methods that are called without this lock say so.
type Store struct {
	local  *localdir.Dir
	tree   *tree.Tree
	log    *statelog.Log
	logger *slog.Logger
	now    func() time.Time
	found  func(temp string)
	damage error

	recorded      *Directory        // nil: nothing is recorded yet
	boot          uint32            // the number of the machine's boot
	owed          [][]byte          // records whose append has failed and is to be repeated
	appended      uint64            // the last transaction in the log
	vacated       map[string]uint64 // local names that have lost their bytes since the log was synced; ".": any
	vacations     uint64            // counts the entries made in vacated; each entry has the count of its time
	begun, closed bool

	renamed    renamed
	live       atomic.Int64 // size of the log after the last compaction
	compacting atomic.Bool  // a compaction is running
	workers    sync.WaitGroup
}

// Options of a Store.
type Options struct {
	Logger *slog.Logger
	Now    func() time.Time
	Found  func(temp string) // is called with the name of each temporary file in the log, which new ones must not use
}

// Open reads the log, and brings to an end what a process that died had begun. recorded is what is known about the
// directory.
func Open(local *localdir.Dir, recorded *Directory, o Options) (*Store, error) {
	s := &Store{
		local: local, logger: o.Logger, now: o.Now, found: o.Found, recorded: recorded,
		vacated: map[string]uint64{".": 1}, vacations: 1, // what a process that died has not synced is read from the log all the same
		renamed: renamed{dirs: map[string]bool{}}, boot: 1,
	}
	if recorded != nil {
		s.boot = recorded.Boots
		if boot := local.Boot(); boot == "" || boot != recorded.Boot { // the power may have been lost
			s.boot++
		}
	}
	replay := tree.Replay()
	log, damage, err := statelog.Open(local, logName, replay.Apply)
	if err != nil {
		return nil, err
	}
	s.log = log
	if err := s.recover(replay, damage); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	return s, nil
}

func (s *Store) recover(replay *tree.Replayer, damage *statelog.Damage) error {
	t, undone, lost := replay.Finish()
	s.tree, s.appended = t, t.Seq()
	switch {
	case damage != nil:
		s.damage = fmt.Errorf("the record of local changes was damaged; %d records before the damage were kept, "+
			"what followed is set aside in %s: %w", damage.Records, damage.File, damage.Err)
	case lost > 0:
		s.damage = fmt.Errorf("the record of local changes is inconsistent; %d entries were left out", lost)
	case s.lostRecords():
		s.damage = errors.New("the record of local changes, or the end of it, is missing, although the local directory was used before")
	}
	if s.damage != nil {
		s.logger.Error("state damaged", "err", s.damage)
	}
	s.renamed.add(replay.Renamed()...)
	if len(undone) > 0 { // an action must not become durable before its record
		if err := s.Sync(); err != nil {
			return err
		}
	}
	for i, a := range undone {
		s.redo(a)
		if err := s.log.Append(tree.EncodeDone(replay.Done() + i + 1)); err != nil {
			return err
		}
	}
	if err := s.empty(localdir.TrashDir); err != nil {
		return err
	}
	var each []*tree.Node
	t.Nodes(func(n *tree.Node) { each = append(each, n) })
	for _, n := range each {
		s.restoreNode(n)
	}
	if err := s.empty(localdir.TmpDir); err != nil {
		return err
	}
	if damage != nil {
		if err := s.rewriting()(); err != nil {
			return err
		}
	}
	s.live.Store(s.log.Size())
	return nil
}

// Begin records what Open, and its user since, have found, and for which remote the directory is used. It is called once,
// before anything else is.
func (s *Store) Begin(remote string) error {
	if err := s.Save(); err != nil {
		return err
	}
	d := Directory{Remote: remote, Seq: s.appended, Boot: s.local.Boot(), Boots: s.boot, Lost: s.damage != nil || s.Lost()}
	if s.recorded == nil || d != *s.recorded {
		err := s.Sync()
		if err == nil {
			err = s.note(d)
		}
		if err != nil {
			return err
		}
	}
	s.begun = true
	return nil
}

// Boot numbers the boot of the machine. Where the system does not tell one from another, each Open counts as one.
func (s *Store) Boot() uint32 { return s.boot }

// Unproven reports whether the bytes of a copy may have been lost with the power since they were written.
func (s *Store) Unproven(n *tree.Node) bool {
	return n.Content() == tree.Owned && n.Copy().Boot != 0 && n.Copy().Boot != s.boot
}

// Tree is the tree.
func (s *Store) Tree() *tree.Tree { return s.tree }

// Damage returns the error of a damaged log; nil if the log was intact.
func (s *Store) Damage() error { return s.damage }

// Lost reports whether records were ever lost. Then what looks like a file of the user may be a copy of the remote's.
func (s *Store) Lost() bool { return s.recorded != nil && s.recorded.Lost }

// Close appends what is owed, syncs everything, and closes the log. It is called without the lock, when nobody uses the
// Store any more.
func (s *Store) Close() error {
	s.closed = true
	s.workers.Wait()
	err := errors.Join(s.settle(), s.SyncNames(), s.log.Close())
	if err == nil && s.begun {
		d := *s.recorded
		d.Seq = s.appended
		if err := s.note(d); err != nil { // a loss of these records would go unnoticed
			s.logger.Warn("end of the log not noted", "err", err)
		}
	}
	return err
}
