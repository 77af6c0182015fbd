package syncfs

import (
	"errors"
	"fmt"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Op is the operation that a change stands for.
type Op uint8

// The operations.
const (
	Put     Op = iota + 1 // upload the content of a file
	Mkdir                 // make a directory
	Symlink               // make a symbolic link
	Rename                // rename on the remote, without a transfer
	Remove                // remove a file, a symbolic link or an empty directory
	SetAttr               // change mode, owner or times
	Fetch                 // download the content of a file (in the Report of a Pull)
)

func (o Op) String() string {
	switch {
	case o == Fetch:
		return "fetch"
	case int(o) < len(ops):
		return ops[o].String()
	}
	return fmt.Sprintf("op %d", uint8(o))
}

// ops maps the operations to those of a step.
var ops = [...]tree.Op{Put: tree.Put, Mkdir: tree.Mkdir, Symlink: tree.Symlink, Rename: tree.Rename,
	Remove: tree.Remove, SetAttr: tree.SetAttr, Fetch: 0}

func opOf(op tree.Op) Op {
	for o, t := range ops {
		if t == op {
			return Op(o)
		}
	}
	return 0
}

// Change is one queued difference between what the program sees and what the remote has.
type Change struct {
	Seq      uint64    // orders changes by the time of their first modification
	Op       Op        // what Push will do
	Name     string    // path on the remote, without a leading slash
	NewName  string    // Rename: the new path
	Size     int64     // Put: bytes to upload
	Queued   time.Time // time of the first modification
	Attempts int       // number of attempts so far
	// Err is the error of the last attempt; nil if there was none. Also after a restart, errors.Is finds in it the errors of
	// this package, fs.ErrNotExist, fs.ErrExist, fs.ErrPermission and fs.ErrInvalid.
	Err error
}

// String returns a line like "put a/b.txt" or "rename a -> b".
func (c Change) String() string {
	if c.Op == Rename {
		return fmt.Sprintf("%v %s -> %s", c.Op, c.Name, c.NewName)
	}
	return fmt.Sprintf("%v %s", c.Op, c.Name)
}

// Pending returns the queued changes, in the order in which Push begins them; it makes independent changes in parallel. With
// Options.Ordered, they become visible in that order. Pending does not use the remote. The caller owns the slice.
func (s *Fs) Pending() []Change {
	var changes []Change
	_ = s.m.Do(func(v *mirror.View) error {
		for _, step := range s.plan(v) {
			if !step.Aux {
				changes = append(changes, changeOf(v, step))
			}
		}
		return nil
	})
	return changes
}

// plan returns the steps of a Push, in order.
func (s *Fs) plan(v *mirror.View) []tree.Step {
	steps := v.Tree().Plan(s.parkingName)
	if s.ordered {
		steps = tree.InOrder(steps)
	}
	return steps
}

func changeOf(v *mirror.View, step tree.Step) Change {
	c := Change{Op: opOf(step.Op), Name: step.Path}
	if step.Op == tree.Rename {
		c.Name, c.NewName = step.From, step.Path
	}
	if step.Parks() && step.Node.InView() {
		c.NewName = step.Node.Path()
	}
	if step.Parked {
		if c.Name = origin(v.Tree(), step.Node); c.Name == c.NewName { // it goes back
			c.Name = step.From
		}
	}
	if step.Op == tree.Put {
		c.Size = localSize(v, step.Node)
	}
	if d := step.Node.Diff; d != nil {
		c.Seq, c.Queued, c.Attempts, c.Err = d.Seq, time.Unix(0, d.Queued), d.Attempts, lastError(d)
	}
	return c
}

// Result is the outcome of one change of a Push, or of one file of a Pull. Its Attempts include this one.
type Result struct {
	Change
	Bytes    int64         // transferred
	Duration time.Duration // of the last attempt
	Err      error         // nil: success

	// For a Put:
	Resumed int64 // bytes that an earlier, interrupted upload had sent
	Synced  bool  // the remote has synced the content to its disk (Options.SyncRemote)
	Refused error // the remote refused to set mode, owner or times; nil: it did not

	// With PublishDirect, if the remote did not show the file after it was closed:
	Taken     bool // there is no such file any more: the remote has taken it
	Unchecked bool // the remote refuses to tell

	// MovedAside: the remote does not replace by rename, so the target did not exist for a moment.
	MovedAside bool
	// Conflict is the conflict that the policy Overwrite or KeepBoth has resolved. With KeepBoth, Kept is the new path of
	// the local version.
	Conflict error
	Kept     string

	index    int // of the step in its round
	step     attempted
	advanced bool // the remote has more of the content than before
	intended bool // its outcome is in doubt
	unsure   bool // the content of a base was compared
}

// Report is the outcome of a Push or a Pull.
type Report struct {
	Results []Result // in the order in which they ended
	Bytes   int64    // transferred in all
	Failed  int      // results with an error
}

func (r *Report) add(result Result) {
	r.Results = append(r.Results, result)
	r.Bytes += result.Bytes
	if result.Err != nil {
		r.Failed++
	}
}

// err joins the errors of the results.
func (r *Report) err() error {
	var errs []error
	for _, result := range r.Results {
		if result.Err != nil {
			errs = append(errs, result.Err)
		}
	}
	if len(errs) <= maxErrors {
		return errors.Join(errs...)
	}
	return &manyErrors{errs}
}

// maxErrors is how many errors are spelled out.
const maxErrors = 10

// manyErrors is a join of errors that spells out only the first ones.
type manyErrors struct{ errs []error }

func (m *manyErrors) Unwrap() []error { return m.errs }

func (m *manyErrors) Error() string {
	return fmt.Sprintf("%v\n(and %d more)", errors.Join(m.errs[:maxErrors]...), len(m.errs)-maxErrors)
}
