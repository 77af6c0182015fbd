package syncfs

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/lateremote"
)

// lateStories are changes, each with the names that it is about.
var lateStories = []struct {
	name  string
	names []string
	tell  func(w *lateWorld)
}{
	{"put new", []string{"n"}, func(w *lateWorld) { w.write("n") }},
	{"put over", []string{"a"}, func(w *lateWorld) { w.write("a") }},
	{"put over with a mode", []string{"a"}, func(w *lateWorld) { w.write("a"); w.setMode("a", 0o600) }},
	{"remove", []string{"a"}, func(w *lateWorld) { w.drop("a") }},
	{"rename", []string{"a", "n"}, func(w *lateWorld) { w.move("a", "n") }},
	{"rename over", []string{"a", "b"}, func(w *lateWorld) { w.move("a", "b") }},
	{"rename a directory", []string{"d", "n"}, func(w *lateWorld) { w.move("d", "n") }},
	{"rename and write", []string{"a", "n"}, func(w *lateWorld) { w.move("a", "n"); w.write("n") }},
	{"swap", []string{"a", "b"}, func(w *lateWorld) { w.move("a", "t"); w.move("b", "a"); w.move("t", "b") }},
	{"mkdir", []string{"n"}, func(w *lateWorld) { w.makeDir("n") }},
	{"mkdir and put", []string{"n", "n/a"}, func(w *lateWorld) { w.makeDir("n"); w.write("n/a") }},
	{"rmdir", []string{"e"}, func(w *lateWorld) { w.drop("e") }},
	{"remove a tree", []string{"d", "d/a"}, func(w *lateWorld) { w.drop("d") }},
	{"symlink", []string{"n"}, func(w *lateWorld) { w.link("n", "nowhere/n") }},
	{"remove a link", []string{"l"}, func(w *lateWorld) { w.drop("l") }},
	{"replace a link", []string{"l"}, func(w *lateWorld) { w.drop("l"); w.write("l") }},
	{"chmod", []string{"a"}, func(w *lateWorld) { w.setMode("a", 0o600) }},
	{"chtimes", []string{"a"}, func(w *lateWorld) { w.setTime("a", 1_100_000_000) }},
	{"chmod a directory", []string{"d"}, func(w *lateWorld) { w.setMode("d", 0o700) }},
}

// lateEnds are what the program does with the same names afterwards.
var lateEnds = []struct {
	name string
	tell func(w *lateWorld, name string)
}{
	{"nothing", func(*lateWorld, string) {}},
	{"written", func(w *lateWorld, name string) {
		switch e, ok := w.view[name]; {
		case w.way(name) != nil:
		case ok && e.typ.IsDir():
			w.write(name + "/again")
		case ok && e.typ != 0:
			w.drop(name)
			fallthrough
		default:
			w.write(name)
		}
	}},
	{"removed", func(w *lateWorld, name string) {
		if _, err := w.find(name); err == nil {
			w.drop(name)
		} else if w.way(name) == nil {
			w.makeDir(name)
		}
	}},
	{"moved", func(w *lateWorld, name string) {
		if _, err := w.find(name); err == nil {
			w.move(name, "moved")
			w.drop("moved-last")
			w.move("moved", "moved-last")
		} else if w.way(name) == nil {
			w.link(name, "made")
		}
	}},
	{"moved, and written", func(w *lateWorld, name string) {
		if _, err := w.find(name); err == nil {
			w.drop("moved")
			w.move(name, "moved")
			w.write(name)
		}
	}},
	{"changed", func(w *lateWorld, name string) {
		if e, err := w.find(name); err == nil && e.typ == 0 {
			w.setMode(name, 0o640)
			w.setTime(name, 1_200_000_000)
		} else if err == nil && e.typ.IsDir() {
			w.setMode(name, 0o750)
		}
	}},
	{"moved back", func(w *lateWorld, name string) {
		for _, other := range []string{"a", "b", "d"} {
			if _, err := w.find(other); err != nil && w.view[name].typ != 0 == (other == "d") {
				if _, err := w.find(name); err == nil {
					w.move(name, other)
				}
			}
		}
	}},
}

// lateReopen says at which points the process ends and another one takes over.
type lateReopen struct {
	name                                string
	failed, again, before, afterDeliver bool
}

var lateReopens = []lateReopen{
	{name: "one process"},
	{"restart after the failure", true, false, false, false},
	{"restart before the changes are pushed", false, true, false, false},
	{"restart before it is executed", false, false, true, false},
	{"restart after it was executed", false, false, false, true},
	{"restarts", true, true, true, true},
}

// A request whose answer was lost, or whose caller has gone, is executed after its names were changed again and pushed. At
// the latest after one more Push, with nothing queued, the remote is what the program sees.
func TestLateRequest(t *testing.T) {
	for _, story := range lateStories {
		for _, kind := range lateKinds {
			for _, fate := range []lateFate{lost, gone, goneAndMade} {
				for k, reopen := range lateReopens {
					if (fate != lost || kind.direct) && !full() && k > 0 && k < len(lateReopens)-1 {
						continue
					}
					t.Run(fmt.Sprintf("%s/%v/%v/%s", story.name, kind, fate, reopen.name), func(t *testing.T) {
						t.Parallel()
						for index, met := 0, true; met; index++ {
							for i, end := range lateEnds {
								if !full() && (index+k+int(fate))%len(lateEnds) != i {
									continue
								}
								t.Run(fmt.Sprintf("%d, %s", index, end.name), func(t *testing.T) {
									synctest.Test(t, func(t *testing.T) {
										tale := lateTale{T: t, kind: kind, fate: fate, reopen: reopen, index: index}
										met = tale.tell(story.tell, func(w *lateWorld) {
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
}

// lateFate is what becomes of the request.
type lateFate int

const (
	lost        lateFate = iota // its answer is lost
	gone                        // the context of its caller ends
	goneAndMade                 // likewise, and it is executed once the caller has gone
)

func (f lateFate) String() string { return [...]string{"lost", "cancelled", "cancelled and made"}[f] }

// lateTale is one way in which a story goes wrong.
type lateTale struct {
	*testing.T
	kind   lateKind
	fate   lateFate
	reopen lateReopen
	index  int // of the request, among those that change something; of the operation, if the context ends
}

// tell tells a story, and what the program does afterwards. It says whether there was such an operation.
func (t lateTale) tell(story, end func(w *lateWorld)) (met bool) {
	w := newLateWorld(t.T, t.kind)
	defer w.end()
	story(w)
	var hit lateremote.Op
	defer func() {
		if t.Failed() {
			t.Logf("at %v", hit)
		}
	}()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	start, changes := w.line.Total(), w.line.Changes()
	w.line.Decide(func(op lateremote.Op) lateremote.Fate {
		switch {
		case t.fate == lost && op.Change == changes+t.index:
			hit, met = op, true
			return lateremote.Hold
		case t.fate != lost && op.Index == start+t.index:
			hit, met = op, true
			cancel()
			if !t.kind.quick && strings.HasPrefix(string(op.Kind), ".") {
				return lateremote.Pass // closing a file waits for its calls with a mutex, for which a bubble stands still
			}
			return lateremote.Wait
		}
		return lateremote.Pass
	})
	_, err := w.fs.Push(ctx)
	synctest.Wait() // the request may be on its way to be held
	w.line.Decide(nil)
	if !met {
		require.NoError(t, err)
		return false
	}
	if t.fate != lost && err != nil {
		require.ErrorIs(t, err, context.Canceled)
	}
	if t.fate == goneAndMade {
		w.line.DeliverAll()
	}
	if t.reopen.failed {
		w.reopen()
	}
	w.pushes()
	end(w)
	if t.reopen.again {
		w.reopen()
	}
	w.pushes()
	if t.reopen.before {
		w.reopen()
	}
	w.line.DeliverAll()
	if t.reopen.afterDeliver {
		w.reopen()
	}
	_, err = w.fs.Push(context.Background())
	require.NoError(t, err)
	require.Empty(t, w.fs.Pending())
	w.same()
	return true
}

// The stories are what they are meant to be: all goes well without a request that is late.
func TestLateStories(t *testing.T) {
	t.Parallel()
	for _, story := range lateStories {
		for _, end := range lateEnds {
			for _, kind := range []lateKind{lateKinds[0], lateKinds[3], lateKinds[4]} {
				w := newLateWorld(t, kind)
				story.tell(w)
				w.pushes()
				w.same()
				for _, name := range slices.Clone(story.names) {
					end.tell(w, name)
				}
				w.pushes()
				w.same()
				w.end()
			}
		}
	}
}
