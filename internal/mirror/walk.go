package mirror

import "slices"

// task is a part of a walk.
type task struct {
	weight int64 // what it takes of the Capacity
	leads  bool  // to others
	// do does it and returns what it leads to; nil: nothing. An error ends the walk.
	do func() (tasks, error)
}

// mostWaiting is how many tasks may have led to others that wait, before only a few of those that lead to more are done at
// a time: many would have a tree that never ends become ever wider. A tree of a few levels has fewer.
const mostWaiting = 4 * smallAtOnce

// tasks returns one task after the other, and false when there are no more.
type tasks func() (t task, more bool)

// walk does a task and all that it leads to, as many at a time as the Capacity lets it, with a goroutine for each of
// these. What was found last comes first, so that what waits meanwhile is what branches off the way to some directories,
// and not all that is equally deep. It returns the error of a task, or that of the context.
func (m *FS) walk(first task) error {
	type end struct {
		task task
		more tasks
		err  error
	}
	var waiting []tasks
	var err error
	ended, free, running := make(chan end), m.Capacity(), 0
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
			err = m.ctx.Err()
		}
		if err != nil {
			next, waiting = nil, nil
		}
		switch {
		case next != nil && next.weight <= free && (!next.leads || len(waiting) < mostWaiting || running < largeAtOnce):
			t := *next
			next = nil
			free -= t.weight
			running++
			go func() {
				more, err := t.do()
				ended <- end{t, more, err}
			}()
		case running > 0:
			e := <-ended
			free += e.task.weight
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
