package syncfs

import (
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// A request whose answer never came may be executed late: by a server that was suspended, or by a proxy that held it
// back. Push finds out by looking what became of it (see intent.go), but a look tells nothing about later. So the
// request is recorded as a guard of the names that it concerns. Each Push looks at these names again. If it finds the
// effect of the request, it records that as the state of the remote, and the plan repairs it. Until then the local
// bytes are kept.

// guardFor is how long a request may be late, at least: a guard ends with the first Push after that time for which the
// remote says what it has under its names. It covers the longest delays that were seen with servers and proxies, and is
// far longer than TCP keeps a connection in suspense after a reset.
const guardFor = 5 * time.Minute

// guard records that the request of a step may still be executed. f is what became of the step: a rename that was made
// can't be made again. The attributes that follow a delivery can.
func guard(v *mirror.View, n *tree.Node, i *tree.Intent, f fate) {
	if f == done && (i.Kind == tree.Publish || i.Kind.Renames()) {
		return
	}
	v.Tree().Doubt(n, *i, v.Now())
}

// errOvertaken: what was made is gone, which an earlier request explains.
var errOvertaken = fmt.Errorf("%w: an earlier request was executed late", ErrBusy)

// takenLate reports whether an earlier request may have removed or renamed what the remote had under a name.
func (s *Fs) takenLate(name string) bool {
	return s.holds(func(v *mirror.View) bool { return v.Tree().Takes(name) })
}

// concernsDoubt reports whether a change is about names that an earlier request may still change, or about what is above or
// below them.
func (s *Fs) concernsDoubt(c Change) bool {
	return s.holds(func(v *mirror.View) bool {
		return v.Tree().Doubts(c.Name) || c.NewName != "" && v.Tree().Doubts(c.NewName)
	})
}

// patrol looks at the names of all guards, records the effects of late requests, and ends the guards that are old
// enough.
func (s *Fs) patrol() error {
	var guards []*tree.Guard
	var ours [][]tree.Meta
	err := s.m.Do(func(v *mirror.View) error {
		guards, ours = v.Tree().Guards(), nil
		for _, g := range guards {
			versions := []tree.Meta{g.Base, g.Intent.Meta}
			if n := v.Tree().AtRemote(g.Intent.To); n != nil {
				versions = append(versions, n.Meta)
			}
			ours = append(ours, versions)
		}
		return nil
	})
	if err != nil || len(guards) == 0 {
		return err
	}
	began := s.now()
	sights := make([]sight, len(guards))
	look := func() { s.m.Limits().Each(len(guards), func(i int) { sights[i] = s.lookAtGuard(guards[i]) }) }
	look()
	if found, err := s.clearAsides(guards, sights, ours); err != nil {
		return err
	} else if found {
		look()
	}
	for i, at := range sights {
		if fatal(at.err) {
			return fmt.Errorf("%s: %w", guards[i].Intent.Name(), at.err)
		}
	}
	return s.m.Do(func(v *mirror.View) error {
		v.RemoteChanged() // a late request may have done so at any time
		mender{v, s, guards, sights}.mend()
		for i, g := range guards {
			switch age := began - g.Since; {
			case age < 0: // the clock was set back
				again := *g
				again.Since = v.Now()
				v.Tree().Guard(again)
			case age >= int64(guardFor) && sights[i].err == nil:
				v.Tree().Unguard(g.ID)
			}
		}
		return nil
	})
}

// sight is what the remote has under the names of a guard.
type sight struct {
	sighting
	names []string // in the directory at the guard's To
	empty bool     // that directory is empty
	sent  bool     // the file at To is what the guard's delivery has left
	err   error
}

// clearAsides moves back what requests have moved aside. If its old name is taken by now, it removes the file, but only
// if it has one of the versions that nobody misses (ours). It reports whether anything was aside.
func (s *Fs) clearAsides(guards []*tree.Guard, sights []sight, ours [][]tree.Meta) (found bool, err error) {
	for k, at := range sights {
		if at.err != nil || at.aside.Known != tree.Exists {
			continue
		}
		found = true
		i, err := &guards[k].Intent, error(nil)
		switch to := s.m.Remote().Ask(i.To); {
		case to.Known == tree.Absent:
			err = s.putBack(i)
		case to.Known == tree.Exists && at.aside.Kind == tree.File && slices.ContainsFunc(ours[k], at.aside.Meta.SameVersion):
			err = s.removeAside(i)
		}
		if fatal(err) {
			return found, err
		} else if err != nil {
			s.logger.Warn("file left aside on the remote until the next push", "name", i.Aside, "err", err)
		}
	}
	return found, nil
}

// lookAtGuard looks at the names of a guard.
func (s *Fs) lookAtGuard(g *tree.Guard) (at sight) {
	i := &g.Intent
	at.sighting, at.err = s.look(i)
	if at.err == nil && i.Kind != tree.Reset && at.to.Known == tree.Exists && at.to.Kind == tree.Dir {
		var reserved []fs.FileInfo
		at.names, reserved, at.err = s.m.Remote().AskNames(i.To)
		at.empty = len(at.names)+len(reserved) == 0
	}
	if at.err == nil && i.Kind == tree.Deliver && at.to.Known == tree.Exists && at.to.Kind == tree.File &&
		at.to.Meta.Size <= i.Stamp.Size {
		at.sent, at.err = s.sentLate(i, at.to)
	}
	return at
}

// sentLate reports whether a file of the remote is what a delivery leaves that is executed late.
func (s *Fs) sentLate(i *tree.Intent, now remote.Answer) (yes bool, err error) {
	wanted := false
	err = s.m.Do(func(v *mirror.View) error {
		wanted = is(v.Tree().AtRemote(i.To), now)
		return nil
	})
	if err == nil && !wanted {
		if yes, err = s.beginsWith(i, now.Meta); !fatal(err) {
			err = nil
		}
	}
	return yes, err
}
