package syncfs

import (
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// A request whose answer never came may be carried out late: by a server that was suspended, or by a proxy that kept
// it. What became of it is found out by looking (see intent.go), but a look says nothing about what comes after it. So
// the request is recorded as a guard of the names that it is about. Each Push looks at these names again. If it finds
// there what the request does, it takes that for the state of the remote, and the plan mends it. Until then the local
// bytes are kept.

// guardFor is how long a request may be late, at least: a guard ends with the first Push after that which has found nothing.
// It spans what servers and proxies were seen to hold on to, and is far longer than connections are kept in suspense by TCP
// once they were reset.
const guardFor = 5 * time.Minute

// guard records that a step, of which that became, may still be carried out. A rename that was made cannot be made again.
func guard(v *mirror.View, n *tree.Node, i *tree.Intent, f fate) {
	if f == done && (i.Kind == tree.Publish || i.Kind.Renames()) {
		return
	}
	g := tree.Guard{Intent: *i, Kind: n.Kind, Target: n.Target()}
	if replaced := v.Tree().AtRemote(i.To); replaced != nil {
		g.Base = replaced.Meta
	}
	g.Since = v.Now()
	v.Tree().Guard(g)
}

// patrol looks at what guards are about.
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
		v.RemoteChanged() // nobody knows since when
		mender{v, s, guards, sights}.mend()
		for _, g := range guards {
			switch age := began - g.Since; {
			case age < 0: // the clock was set back
				again := *g
				again.Since = v.Now()
				v.Tree().Guard(again)
			case age >= int64(guardFor):
				v.Tree().Unguard(g.ID)
			}
		}
		return nil
	})
}

// sight is what the remote has under the names of a guard.
type sight struct {
	sighting
	names []string // in the directory that is there
	empty bool     // that directory
	err   error
}

// clearAsides puts back what requests have moved aside. If something else is in its place by now, it is removed if it is
// one of the versions that nobody misses. It says whether anything was moved aside.
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

// lookAtGuard looks at what a guard is about.
func (s *Fs) lookAtGuard(g *tree.Guard) (at sight) {
	i := &g.Intent
	at.sighting, at.err = s.look(i)
	if at.err == nil && i.Kind != tree.Reset && at.to.Known == tree.Exists && at.to.Kind == tree.Dir {
		var reserved []fs.FileInfo
		at.names, reserved, at.err = s.m.Remote().AskNames(i.To)
		at.empty = len(at.names)+len(reserved) == 0
	}
	return at
}
