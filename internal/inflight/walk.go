package inflight

import (
	"context"
	"slices"
)

// Task is a part of a walk.
type Task struct {
	Weight int64 // its share of Capacity
	Leads  bool  // it may return more tasks
	// Do does the task and returns the tasks that follow from it; nil if there are none. An error ends the walk.
	Do func() (Tasks, error)
}

// Tasks returns one task per call, and false when there are no more.
type Tasks func() (t Task, more bool)

// mostWaiting is how many unfinished Tasks may wait before only largeAtOnce tasks with Leads run at a time. A tree of a
// few levels has fewer. Without this bound, the walk of an endless tree would become ever wider.
const mostWaiting = 4 * smallAtOnce

// Walk does a task and all that follow from it, each in a goroutine, with at most Capacity in flight. It goes depth
// first, so that the waiting tasks are the branches of a few paths and not a whole level of the tree. It returns the
// first error of a task, or the error of ctx.
func (l Limits) Walk(ctx context.Context, first Task) error {
	type end struct {
		task Task
		more Tasks
		err  error
	}
	var waiting []Tasks
	var err error
	ended, free, running := make(chan end), l.Capacity(), 0
	for next := &first; ; {
		for next == nil && len(waiting) > 0 {
			last := len(waiting) - 1
			if t, more := waiting[last](); more {
				next = &t
			} else {
				waiting = slices.Delete(waiting, last, last+1)
			}
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			next, waiting = nil, nil
		}
		switch {
		case next != nil && next.Weight <= free && (!next.Leads || len(waiting) < mostWaiting || running < largeAtOnce):
			t := *next
			next = nil
			free -= t.Weight
			running++
			go func() {
				more, err := t.Do()
				ended <- end{t, more, err}
			}()
		case running > 0:
			e := <-ended
			free += e.task.Weight
			running--
			if e.more != nil {
				waiting = append(waiting, e.more)
			}
			if err == nil {
				err = e.err
			}
		default:
			return err
		}
	}
}
