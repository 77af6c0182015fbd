package syncfs

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/lateremote"
)

// A request whose answer was lost is executed in the middle of the next Push, before each of its operations. At the latest
// after one more Push, with nothing queued, the remote is what the program sees.
func TestLateRequestInTheMiddleOfAPush(t *testing.T) {
	for _, story := range lateStories {
		for k, kind := range lateKinds {
			for i, restarted := range []bool{false, true} {
				if !full() && i != k%2 {
					continue
				}
				t.Run(fmt.Sprintf("%s/%v/restarted: %v", story.name, kind, restarted), func(t *testing.T) {
					t.Parallel()
					const some = 12 // of the operations, if not everything is to be tested
					for index, held := 0, true; held; index++ {
						for at, met := 0, true; met && held; at++ {
							if !full() && (at+index)%some != 0 && at > 0 {
								continue
							}
							synctest.Test(t, func(t *testing.T) {
								held, met = lateInTheMiddle(t, story.tell, kind, restarted, index, at)
							})
						}
					}
				})
			}
		}
	}
}

// lateInTheMiddle holds a change of the first Push until an operation of the second one. It says whether there were these.
func lateInTheMiddle(t *testing.T, story func(*lateWorld), kind lateKind, restarted bool, index, at int) (held, met bool) {
	w := newLateWorld(t, kind)
	defer w.end()
	w.fs.block = 1 // so that uploads go on
	story(w)
	changes := w.line.Changes()
	var late lateremote.Op
	w.line.Decide(func(op lateremote.Op) lateremote.Fate {
		if op.Change == changes+index {
			late, held = op, true
			return lateremote.Hold
		}
		return lateremote.Pass
	})
	patience := w.fs.retryFor
	w.fs.retryFor = -1
	_, err := w.fs.Push(context.Background())
	w.fs.retryFor = patience
	w.line.Decide(nil)
	if !held {
		require.NoError(t, err)
		return false, false
	}
	if restarted {
		w.reopen()
		w.fs.block = 1
	}
	var before lateremote.Op
	defer func() {
		if t.Failed() {
			t.Logf("%v is executed before %v", late, before)
		}
	}()
	start := w.line.Total()
	w.line.Decide(func(op lateremote.Op) lateremote.Fate {
		if op.Index == start+at {
			before, met = op, true
			w.line.DeliverAll()
		}
		return lateremote.Pass
	})
	_, err = w.fs.Push(context.Background())
	w.line.Decide(nil)
	require.NoError(t, err)
	w.line.DeliverAll()
	w.pushes()
	w.same()
	return true, met
}
