package syncfs

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"hash"

	contract "github.com/sftpsyncer/go-syncfs/cachefs/remote"
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// part is a temporary file on the remote that gets the content of a file.
type part struct {
	of, node *tree.Node
	path     string
	target   string     // the path that it will be renamed to
	from     int64      // bytes that have arrived
	hash     hash.Hash  // of these bytes
	like     *agreement // for a direct one
}

// direct reports whether it is no temporary file, but the target itself.
func (p *part) direct() bool { return p.node == nil }

// beginPart finds the temporary file of an interrupted upload that can be resumed, or claims a new one.
func (s *Fs) beginPart(step tree.Step, c content) (*part, error) {
	p, known, err := s.earlierPart(step)
	if err != nil {
		return nil, err
	}
	if p != nil {
		ok, err := s.mayGoOn(p, known, c)
		if ok || err != nil {
			return p, err
		}
		return s.startOver(step, c, p)
	}
	return s.claim(step, c)
}

// startOver replaces a temporary file by a new one. If the remote refuses to remove the old one, a later push tries again.
func (s *Fs) startOver(step tree.Step, c content, p *part) (*part, error) {
	if err := s.giveUp(p); refused(err) {
		s.logger.Warn("temporary file left on the remote until the next push", "name", p.path, "err", err)
	} else if err != nil {
		return nil, fmt.Errorf("temporary file of an earlier upload: %w", err)
	}
	return s.claim(step, c)
}

// earlierPart returns the temporary file that an earlier upload of a file has left; nil if there is none.
func (s *Fs) earlierPart(step tree.Step) (p *part, known tree.Part, err error) {
	err = s.m.Do(func(v *mirror.View) error {
		n := step.Node
		if v.Tree().Node(n.ID) != n || n.Diff == nil || n.Diff.Part == nil {
			return nil
		}
		known = *n.Diff.Part
		if temp := v.Tree().PartOf(n); temp != nil {
			p = &part{of: n, node: temp, path: temp.RemotePath(), target: step.Path, from: known.Sent}
		}
		return nil
	})
	return p, known, err
}

// mayGoOn reports whether an upload can be resumed: the content is the one that was sent before, by its stamp and by
// the hash of what has arrived, and the temporary file has at least that. If nothing is known to have arrived, a new
// name is better, because what was sent to the old one may still arrive.
func (s *Fs) mayGoOn(p *part, known tree.Part, c content) (bool, error) {
	stamp := known.Stamp
	stamp.CTime = c.stamp.CTime // a rename changes it
	if known.Sent == 0 || stamp != c.stamp {
		return false, nil
	}
	a := s.m.Remote().Ask(p.path)
	if a.Known == tree.Unknown && !refused(a.Err) {
		return false, a.Err
	}
	if a.Known != tree.Exists || a.Kind != tree.File || a.Meta.Size < p.from || a.Meta.Size > c.stamp.Size {
		return false, nil
	}
	src, err := s.openContent(c)
	if err != nil {
		return false, err
	}
	defer src.Close()
	if p.hash, err = hashOf(s.m.Context(), src, p.from); err != nil {
		return false, err
	}
	return bytes.Equal(p.hash.Sum(nil), known.Hash[:]), nil
}

// keepsContent reports whether the remote is known to keep the content of a file that is opened without O_TRUNC.
func (s *Fs) keepsContent() bool {
	k, ok := remote.Optional[contract.ContentKeeper](s.m.Remote())
	return ok && k.KeepsContent()
}

// claim records that an upload may leave a temporary file. The name is a new one,
// because what an earlier upload has sent to another name may still arrive.
func (s *Fs) claim(step tree.Step, c content) (*part, error) {
	name, err := s.tempPath(step.Path)
	if err != nil {
		return nil, err
	}
	p := &part{of: step.Node, path: name, target: step.Path, hash: sha256.New()}
	err = s.m.Do(func(v *mirror.View) (err error) {
		t, n, dir := v.Tree(), step.Node, step.To.Dir
		if t.Node(n.ID) != n || t.Node(dir.ID) != dir || !dir.HasBase() {
			return fmt.Errorf("%w: it or its directory was removed meanwhile", ErrBusy)
		}
		if p.node, err = temporary(v, name); err != nil {
			return err
		}
		t.Note(n, v.Now()).Part = &tree.Part{Temp: p.node.ID, Stamp: c.stamp}
		t.Touch(n)
		return nil
	})
	if err == nil {
		err = s.m.SyncLog()
	}
	return p, err
}

// noteArrival records how many bytes of an upload have arrived.
func (s *Fs) noteArrival(p *part, m mark) {
	err := s.m.Do(func(v *mirror.View) error {
		n := p.of
		if v.Tree().Node(n.ID) != n || n.Diff == nil || n.Diff.Part == nil || n.Diff.Part.Temp != p.node.ID {
			return nil
		}
		known := *n.Diff.Part
		known.Sent, known.Hash = m.at, m.sum
		v.Tree().Note(n, v.Now()).Part = &known
		v.Tree().Touch(n)
		return nil
	})
	if err != nil {
		s.logger.Warn("state of an upload not recorded", "name", p.path, "err", err)
	}
}

// giveUp removes a temporary file that could be resumed. The removal may be executed late, so the name is not used again.
func (s *Fs) giveUp(p *part) error {
	s.noteArrival(p, mark{})
	return s.sweep(p.node, p.path)
}

// sweep removes a temporary file. It syncs the log first: after a crash, a temporary file that is gone must not look
// like one that was published.
func (s *Fs) sweep(temp *tree.Node, path string) error {
	if err := s.m.SyncLog(); err != nil {
		return err
	}
	err := remote.Error(s.m.Remote().Fs().Remove(s.m.Remote().Name(path)))
	never := remote.Absent(err)
	if err != nil && !never {
		return err
	}
	return s.m.Do(func(v *mirror.View) error {
		if never { // the request that makes it may still be executed
			v.Tree().Guard(tree.Guard{Intent: tree.Intent{Kind: tree.Upload, From: path}, Kind: tree.File, Since: v.Now()})
		}
		if v.Tree().Node(temp.ID) == temp {
			v.Tree().Erased(temp, v.Now())
		}
		return nil
	})
}

// swept records that the temporary file of an upload has been renamed.
func swept(v *mirror.View, i *tree.Intent) {
	if temp := v.Tree().AtRemote(i.From); temp != nil && temp.Temp {
		v.Tree().Erased(temp, v.Now())
	}
}
