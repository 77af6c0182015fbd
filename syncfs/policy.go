package syncfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/oserr"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// ConflictPolicy decides what Push does if the remote has another version than the base of a change.
type ConflictPolicy uint8

// The policies.
const (
	// Fail leaves the change queued and reports the conflict.
	Fail ConflictPolicy = iota
	// Overwrite replaces or removes whatever version the remote has. If the remote has something of another kind (a
	// directory in the place of a file), that is still a conflict.
	Overwrite
	// KeepBoth renames the local version to "name (conflict 2006-01-02 host).ext" and publishes it under that name (see
	// Result.Kept). A name that would be longer than 255 bytes is shortened before the mark. The remote's version keeps the
	// original name. Changes other than uploads fail as with Fail.
	KeepBoth
)

// judge decides the conflicts of one Push. It asks once about each version that the remote shows.
type judge struct {
	decide func(Conflict) ConflictPolicy

	mu       sync.Mutex
	verdicts map[tree.ID]verdict // guarded by mu
}

type verdict struct {
	about  remote.Answer
	policy ConflictPolicy
}

// judging returns s for one Push, with a judge for its conflicts. If names are given, policy holds for the conflicts of
// these and of everything below them.
func (s *Fs) judging(policy ConflictPolicy, names []string) (*Fs, error) {
	decide := s.onConflict
	if decide == nil {
		decide = func(Conflict) ConflictPolicy { return s.conflict }
	}
	if names != nil {
		var chosen []string
		for _, name := range names {
			clean, err := s.m.Clean(name)
			if err != nil {
				return nil, oserr.Path("push", name, err)
			}
			chosen = append(chosen, clean)
		}
		otherwise := decide
		decide = func(c Conflict) ConflictPolicy {
			about := func(name string) bool {
				return tree.Within(c.Name, name) || c.NewName != "" && tree.Within(c.NewName, name)
			}
			if slices.ContainsFunc(chosen, about) {
				return policy
			}
			return otherwise(c)
		}
	}
	bound := *s
	bound.judge = &judge{decide: decide, verdicts: map[tree.ID]verdict{}}
	return &bound, nil
}

// agree returns nil if a step may be made: the remote has the base, or the policy overrides the conflict. now is what
// the remote has at path; removal is set if the step removes it.
func (s *Fs) agree(step tree.Step, r *Result, path string, b base, now remote.Answer, removal bool) error {
	err := s.compare(path, b, now, removal, r)
	if !errors.Is(err, ErrConflict) || s.policyFor(step, r, path, b, now, err) != Overwrite {
		return err
	}
	return s.overwrite(r, b, now, removal, err)
}

// compare checks that the remote has the base. It compares the content if size and mtime are unknown, or may not tell
// the base from another version that was written within two seconds of when the base was seen.
func (s *Fs) compare(path string, b base, now remote.Answer, removal bool, r *Result) error {
	err := b.check(now, Fail, removal)
	if err != nil || b.hash == nil || now.Known != tree.Exists || now.Kind != tree.File {
		return err
	}
	r.unsure = true
	theirs, err := s.hashRemote(path, now.Meta)
	if err == nil && theirs != *b.hash {
		err = conflict("it has another content there")
	}
	return err
}

// overwrite allows a step in spite of a conflict, if that is possible.
func (s *Fs) overwrite(r *Result, b base, now remote.Answer, removal bool, reason error) error {
	err := b.check(now, Overwrite, removal)
	if err == nil {
		r.Conflict = reason
	}
	return err
}

// policyFor returns the policy for a conflict.
func (s *Fs) policyFor(step tree.Step, r *Result, path string, b base, now remote.Answer, reason error) ConflictPolicy {
	j := s.judge
	about := now
	about.Err = nil
	j.mu.Lock()
	v, ok := j.verdicts[step.Node.ID]
	j.mu.Unlock()
	if ok && v.about == about {
		return v.policy
	}
	c := s.conflictOf(step, r.Change, path, b, now, reason)
	select {
	case s.resolving <- struct{}{}:
	case <-s.m.Context().Done():
		return Fail
	}
	policy, err := mirror.Callback(s.m, func() ConflictPolicy {
		defer func() { <-s.resolving }()
		return j.decide(c)
	})
	if err != nil {
		return Fail
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.verdicts[step.Node.ID] = verdict{about, policy}
	return policy
}

// PushWith is Push with a different policy for conflicts of the named changes, and of changes below the named directories.
// It is a way out of a conflict that an earlier Push has reported. Without names, the policy applies to all conflicts. Like
// Push, it pushes all queued changes.
//
// The error matches fs.ErrInvalid if a name or the policy is invalid.
func (s *Fs) PushWith(ctx context.Context, policy ConflictPolicy, names ...string) (Report, error) {
	if policy > KeepBoth {
		return Report{}, fmt.Errorf("push: %w: unknown conflict policy %d", fs.ErrInvalid, policy)
	}
	if len(names) == 0 {
		names = []string{"/"}
	}
	return s.push(ctx, policy, names)
}
