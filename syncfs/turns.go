package syncfs

import (
	"sync"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// turns makes the changes of a round visible in the order of its steps (Options.Ordered). Contents are uploaded
// meanwhile. A nil *turns lets every step go ahead.
type turns struct {
	shows []bool // by step: clients of the remote see it as a change of a file

	mu     sync.Mutex // guards the fields below; a leaf
	passed sync.Cond  // broadcast when first or failed changes
	ended  []bool     // by step
	first  int        // the first step that shows and has not ended
	failed error      // of a step that shows
	at     int        // the first step that has failed
}

func newTurns(steps []tree.Step) *turns {
	t := &turns{shows: make([]bool, len(steps)), ended: make([]bool, len(steps))}
	t.passed.L = &t.mu
	for i, step := range steps {
		t.shows[i] = !step.Aux && !step.Late && step.Op != tree.Mkdir
	}
	t.advance()
	return t
}

// await waits until all steps before the one of r have ended. It returns an error if one of them has failed.
func (t *turns) await(r *Result) error {
	if t == nil || !t.shows[r.index] {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	failed := func() bool { return t.failed != nil && t.at < r.index }
	for t.first < r.index && !failed() {
		t.passed.Wait()
	}
	if failed() {
		return notBefore(t.failed)
	}
	return nil
}

// end records that a step has ended.
func (t *turns) end(i int, err error) {
	if t == nil || !t.shows[i] {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended[i] = true
	if err != nil && (t.failed == nil || i < t.at) {
		t.failed, t.at = err, i
	}
	t.advance()
	t.passed.Broadcast()
}

func (t *turns) advance() {
	for t.first < len(t.shows) && (t.ended[t.first] || !t.shows[t.first]) {
		t.first++
	}
}
