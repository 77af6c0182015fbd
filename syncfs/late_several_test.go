package syncfs

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/lateremote"
)

// lateOrders are the orders in which the requests that are late are executed, by their age. A Push comes after each group.
var lateOrders = []struct {
	name   string
	groups func(held int) [][]int
}{
	{"the first alone", func(held int) [][]int { return [][]int{{0}, upTo(1, held)} }},
	{"the second alone", func(held int) [][]int { return [][]int{upTo(1, held), {0}} }},
	{"in order", func(held int) [][]int { return [][]int{upTo(0, held)} }},
	{"the first last", func(held int) [][]int { return [][]int{append(upTo(1, held), 0)} }},
	{"in reverse order", func(held int) [][]int { return [][]int{backwards(upTo(0, held))} }},
	{"in reverse order, one by one", func(held int) [][]int { return slices.Collect(slices.Chunk(backwards(upTo(0, held)), 1)) }},
}

func backwards(all []int) []int {
	slices.Reverse(all)
	return all
}

// upTo returns the numbers from first to before last.
func upTo(first, last int) (all []int) {
	for i := first; i < last; i++ {
		all = append(all, i)
	}
	return all
}

// A request of one Push is late, and so are the requests of three Pushes after it, which never learn what became of them.
// They are executed in any order before the next one. Nobody else has changed anything, so nothing is a conflict, and the
// remote is what the program sees. That does not hold for PublishDirect: a late rename may have moved what a late delivery has
// left, which is a conflict then.
func TestLateRequestsOfSeveralPushes(t *testing.T) {
	for _, story := range lateStories {
		for _, kind := range lateKinds[:4] {
			for o, order := range lateOrders {
				t.Run(fmt.Sprintf("%s/%v/%s", story.name, kind, order.name), func(t *testing.T) {
					t.Parallel()
					for index, met := 0, true; met; index++ {
						for i, end := range lateEnds {
							if !full() && (index+o)%4 != i%4 {
								continue
							}
							t.Run(fmt.Sprintf("%d, %s", index, end.name), func(t *testing.T) {
								synctest.Test(t, func(t *testing.T) {
									met = tellOfSeveral(t, kind, index, order.groups, story.tell, func(w *lateWorld) {
										for _, name := range story.names {
											end.tell(w, name)
										}
									})
								})
							})
						}
					}
				})
			}
		}
	}
}

// tellOfSeveral tells a story whose request of that index is late, and an end whose requests are all late.
func tellOfSeveral(t *testing.T, kind lateKind, index int, order func(int) [][]int, story, end func(w *lateWorld)) (met bool) {
	w := newLateWorld(t, kind)
	defer w.end()
	story(w)
	changes := w.line.Changes()
	w.line.Decide(func(op lateremote.Op) lateremote.Fate {
		if op.Change == changes+index {
			met = true
			return lateremote.Hold
		}
		return lateremote.Pass
	})
	_, err := w.fs.Push(context.Background())
	w.line.Decide(nil)
	if !met {
		require.NoError(t, err)
		return false
	}
	w.pushes()
	end(w)
	w.line.Decide(func(op lateremote.Op) lateremote.Fate {
		if op.Change >= 0 {
			return lateremote.Hold
		}
		return lateremote.Pass
	})
	for range 3 {
		if _, err = w.fs.Push(context.Background()); err != nil {
			require.NotErrorIs(t, err, ErrConflict)
		}
	}
	w.line.Decide(nil)
	held := w.line.Held()
	for _, group := range order(len(held)) {
		for _, i := range group {
			at := indexOf(w.line.Held(), held[i])
			t.Logf("late: %v: %v", held[i], w.line.Deliver(at))
		}
		w.pushes()
		w.same()
	}
	return true
}

// indexOf returns the index of an operation among those that are held.
func indexOf(held []lateremote.Op, op lateremote.Op) int {
	for i, h := range held {
		if h.Index == op.Index {
			return i
		}
	}
	panic("not held")
}
