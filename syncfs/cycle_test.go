package syncfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// cycling is a set of renames that goes through a place aside.
type cycling struct {
	name    string
	serve   []string
	renames [][2]string
	members []string // names on the remote of files that it is about
	removes []string // directories that are removed before the last rename
	after   []string // what the remote has then
}

var cyclings = []cycling{
	{name: "two files", serve: []string{"a:A", "b:B"},
		renames: [][2]string{{"a", "t"}, {"b", "a"}, {"t", "b"}},
		members: []string{"a", "b"}, after: []string{"a:B", "b:A"}},
	{name: "three files", serve: []string{"a:A", "b:B", "c:C"},
		renames: [][2]string{{"a", "t"}, {"c", "a"}, {"b", "c"}, {"t", "b"}},
		members: []string{"a", "b", "c"}, after: []string{"a:C", "b:A", "c:B"}},
	{name: "across directories", serve: []string{"d/a:A", "e/b:B"},
		renames: [][2]string{{"d/a", "t"}, {"e/b", "d/a"}, {"t", "e/b"}},
		members: []string{"d/a", "e/b"}, after: []string{"d/", "d/a:B", "e/", "e/b:A"}},
	{name: "two directories", serve: []string{"d/x:X", "e/y:Y"},
		renames: [][2]string{{"d", "t"}, {"e", "d"}, {"t", "e"}},
		after:   []string{"d/", "d/y:Y", "e/", "e/x:X"}},
	{name: "inside out", serve: []string{"d/x:X", "d/e/y:Y"},
		renames: [][2]string{{"d/e", "t"}, {"d", "t/e"}, {"t", "d"}},
		after:   []string{"d/", "d/y:Y", "d/e/", "d/e/x:X"}},
	{name: "in the place of its directory", serve: []string{"d/a:A"},
		renames: [][2]string{{"d/a", "t"}, {"t", "d"}}, removes: []string{"d"},
		members: []string{"d/a"}, after: []string{"d:A"}},
}

func (c cycling) rename(r *rig) {
	for i, names := range c.renames {
		if i == len(c.renames)-1 {
			for _, name := range c.removes {
				require.NoError(r, r.fs.Remove(name))
			}
		}
		require.NoError(r, r.fs.Rename(names[0], names[1]))
	}
}

// unhidden are the contents that other clients see under any name.
func unhidden(r *rig) map[string]bool {
	texts := map[string]bool{}
	for name, e := range r.served() {
		if e.Type == 0 && !strings.Contains("/"+name, "/.syncfs-") {
			texts[e.Content] = true
		}
	}
	return texts
}

func (c cycling) requireUnhidden(r *rig, more ...string) {
	r.Helper()
	seen := unhidden(r)
	for _, file := range append(slices.Clone(c.serve), more...) {
		_, text, _ := strings.Cut(file, ":")
		require.True(r, seen[text], "%q is hidden: %v", text, list(r.served()))
	}
}

// A conflict about any part of a cycle is found before anything is moved.
func TestConflictInACycle(t *testing.T) {
	t.Parallel()
	for _, c := range cyclings {
		for _, member := range c.members {
			for what, change := range map[string]func(r *rig){
				"edited":  func(r *rig) { r.serve(member + ":of another client") },
				"removed": func(r *rig) { require.NoError(r, r.remote.Remove(member)) },
			} {
				t.Run(c.name+"/"+member+" "+what, func(t *testing.T) {
					t.Parallel()
					asked := []string{}
					r := newRig(t, &Options{Resolve: func(c Conflict) ConflictPolicy {
						asked = append(asked, c.Name)
						return Fail
					}})
					r.serve(c.serve...)
					c.rename(r)
					change(r)
					before := r.served()
					report := r.fails(ErrConflict)
					require.Empty(t, aferotest.Diff(before, r.served()), "something was moved")
					require.Equal(t, []string{member}, asked)
					direct := []string{}
					for _, result := range report.Results {
						require.ErrorIs(t, result.Err, ErrConflict)
						if !strings.Contains(result.Err.Error(), "not done before") {
							direct = append(direct, result.Name)
						}
						require.NotContains(t, result.Name+result.NewName, "moving")
					}
					require.Equal(t, []string{member}, direct)
					for _, change := range r.fs.Pending() {
						require.Equal(t, change.Name == member, change.Err != nil, "%v", change)
					}
					require.NoError(t, r.fs.Discard())
					r.pushes()
					require.Empty(t, aferotest.Diff(before, r.served()))
				})
			}
		}
	}
}

// What others have made in a directory that is to be removed on the way is found before anything is moved.
func TestForeignFileInACycle(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("d/a", "d/b")
	require.NoError(t, r.fs.Rename("d/a", "t"))
	require.NoError(t, r.fs.RemoveAll("d"))
	require.NoError(t, r.fs.Rename("t", "d"))
	r.serve("d/theirs")
	r.fails(ErrConflict)
	r.has(r.served(), "d/", "d/a:d/a", "d/b:d/b", "d/theirs:d/theirs")
	require.NoError(t, r.remote.Remove("d/theirs"))
	r.pushes()
	r.has(r.served(), "d:d/a")
}

// An edit by another client is overwritten, or given up, as the policy says; the cycle is made all the same.
func TestPoliciesInACycle(t *testing.T) {
	t.Parallel()
	for _, replaces := range []bool{true, false} {
		r := newRig(t, &Options{Conflict: Overwrite})
		r.cannotReplace(!replaces)
		r.serve("a:A", "b:B")
		cyclings[0].rename(r)
		r.serve("b:of another client")
		r.pushes()
		r.has(r.served(), "a:of another client", "b:A")
	}
	r := newRig(t, &Options{Conflict: KeepBoth})
	r.serve("a:A", "b:B")
	cyclings[0].rename(r)
	r.append("a", "+ours") // what was b
	r.serve("b:of another client")
	r.fails(ErrConflict)
	r.has(r.served(), "a:A", "b:of another client")
}

// A step that fails is no reason for one beside it not to be made, nor for another cycle.
func TestOtherCyclesGoOn(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("d/a:A", "d/b:B", "d/c:C", "d/e:E", "x")
	require.NoError(t, r.fs.Rename("d", "n"))
	for _, names := range [][2]string{{"n/a", "t"}, {"n/b", "n/a"}, {"t", "n/b"}, {"n/c", "t"}, {"n/e", "n/c"}, {"t", "n/e"}, {"x", "y"}} {
		require.NoError(t, r.fs.Rename(names[0], names[1]))
	}
	r.serve("d/b:of another client")
	r.fails(ErrConflict)
	r.has(r.served(), "n/", "n/a:A", "n/b:of another client", "n/c:E", "n/e:C", "y:x")
}

func (r *rig) cannotReplace(yes bool) {
	if !yes {
		return
	}
	require.NoError(r, r.fs.Close())
	if _, ok := r.remote.(noReplace); !ok {
		r.remote = noReplace{r.remote, r.remote.(afero.Symlinker)}
	}
	r.start()
}

// observed has another client look at the remote after each request, and then calls after. It returns how to look between
// two requests.
func (c cycling) observed(r *rig, after func(faultfs.Op)) (look func()) {
	var request sync.Mutex // held while one is carried out and looked at: a walk sees no state if it changes meanwhile
	r.plan.Before(func(faultfs.Op) error {
		request.Lock()
		return nil
	})
	r.plan.After(func(op faultfs.Op, err error) error {
		defer request.Unlock()
		c.requireUnhidden(r)
		after(op)
		return err
	})
	return func() {
		request.Lock()
		defer request.Unlock()
		c.requireUnhidden(r)
	}
}

// Whatever fails, and whether or not this client comes back: other clients see every file after each request. A later push
// brings all to its place; Discard, and a push of what that has left, keeps all in sight.
func TestNothingIsHiddenByACycle(t *testing.T) {
	t.Parallel()
	for _, c := range cyclings {
		for _, refuses := range []bool{false, true} {
			for _, end := range []string{"push", "restart", "discard", "restart, discard"} {
				t.Run(fmt.Sprintf("%s/refuses to replace %v/%s", c.name, refuses, end), func(t *testing.T) {
					t.Parallel()
					tell := func(t *testing.T, p *faultfs.Plan) {
						r := rigOn(t, aferotest.OS(t.TempDir()), nil)
						r.cannotReplace(refuses)
						r.serve(c.serve...)
						c.rename(r)
						require.NoError(t, r.fs.Close())
						r.plan = p
						r.start()
						c.observed(r, func(faultfs.Op) {})
						_, err := r.push()
						if err != nil {
							require.NotErrorIs(t, err, ErrConflict)
						}
						r.plan.Heal()
						c.requireUnhidden(r)
						if strings.HasPrefix(end, "restart") {
							r.restart()
						}
						for name := range r.view() {
							require.NotContains(t, name, "moving")
						}
						c.observed(r, func(faultfs.Op) {})
						if strings.HasSuffix(end, "discard") {
							require.NoError(t, r.fs.Discard())
							r.pushes()
							c.requireUnhidden(r)
							return
						}
						r.pushes()
						r.has(r.served(), c.after...)
					}
					faults := []faultfs.Fault{{}, {Effect: faultfs.Whole}, {Sticky: true}, {Sticky: true, Effect: faultfs.Whole},
						{Err: fs.ErrPermission}}
					for _, fault := range faults {
						if fault.Err != nil && end == "push" {
							continue // a step that was refused is not made again in this process
						}
						stride := 1
						if !full() {
							stride = 8
						}
						for index, met := len(c.name)%stride, true; met; index += stride {
							p := new(faultfs.Plan)
							fault.Index = index
							p.Inject(fault)
							if !t.Run(fmt.Sprintf("%v %v/%d", fault, fault.Err, index), func(t *testing.T) { tell(t, p) }) {
								return
							}
							met = len(p.Fired()) > 0
						}
					}
				})
			}
		}
	}
}

// The same of a push that its caller cancels.
func TestCancelledCycle(t *testing.T) {
	t.Parallel()
	for _, c := range cyclings {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for index, met := 0, true; met; index++ {
				r := newRig(t, nil)
				r.serve(c.serve...)
				c.rename(r)
				ctx, cancel := context.WithCancel(t.Context())
				met = false
				start := r.plan.Total()
				look := c.observed(r, func(op faultfs.Op) {
					if op.Index == start+index {
						met = true
						cancel()
					}
				})
				_, err := r.fs.Push(ctx)
				cancel()
				if err != nil {
					require.ErrorIs(t, err, context.Canceled)
				}
				look()
				r.pushes()
				r.has(r.served(), c.after...)
			}
		})
	}
}

// Others change a file after it was checked. It is a conflict, and no file is lost from sight; Discard gets out, and does
// not want a name that others have taken.
func TestOthersDuringACycle(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]func(r *rig) error{
		"take the name of the last": func(r *rig) error {
			if _, err := r.remote.Stat("d/b"); err == nil {
				return nil
			}
			return afero.WriteFile(r.remote, "d/b", []byte("theirs"), 0o644)
		},
		"take the name of the first": func(r *rig) error {
			if _, err := r.remote.Stat("d/a"); err == nil {
				return nil
			}
			return afero.WriteFile(r.remote, "d/a", []byte("theirs"), 0o644)
		},
		"edit the last":        func(r *rig) error { return appendTo(r.remote, "d/b", " edited") },
		"edit the first":       func(r *rig) error { return appendTo(r.remote, "d/a", " edited") },
		"rename the directory": func(r *rig) error { return r.remote.Rename("d", "elsewhere") },
	} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/restart %v", what, restart), func(t *testing.T) {
				t.Parallel()
				for index, met := 0, true; met; index++ {
					r := newRig(t, nil)
					r.serve("d/a:A", "d/b:B", "d/c:C")
					for _, names := range [][2]string{{"d/a", "t"}, {"d/b", "d/a"}, {"t", "d/b"}} {
						require.NoError(t, r.fs.Rename(names[0], names[1]))
					}
					start := r.plan.Total()
					met = false
					r.plan.After(func(op faultfs.Op, err error) error {
						if op.Index == start+index {
							met = true
							if err := change(r); err != nil {
								require.ErrorIs(t, err, fs.ErrNotExist)
							}
						}
						return err
					})
					_, err := r.push()
					r.plan.Heal()
					texts := func() (n int) {
						for text := range unhidden(r) {
							if strings.HasPrefix(text, "A") || strings.HasPrefix(text, "B") || strings.HasPrefix(text, "C") {
								n++
							}
						}
						return n
					}
					require.Equal(t, 3, texts(), "%v", list(r.served()))
					if err != nil {
						require.ErrorIs(t, err, ErrConflict)
						if restart {
							r.restart()
						}
						require.NoError(t, r.fs.Discard())
						// Others are as fast again.
						for _, name := range []string{"d/a", "d/b"} {
							if dir, err := r.remote.Stat(path.Dir(name)); err == nil && dir.IsDir() {
								if _, err := r.remote.Stat(name); errors.Is(err, fs.ErrNotExist) {
									r.serve(name + ":theirs too")
								}
							}
						}
						_, err = r.push()
						require.NoError(t, err)
						r.queued()
						require.Equal(t, 3, texts(), "%v", list(r.served()))
						_, err = r.fs.Pull(t.Context(), "/")
						require.NoError(t, err)
					}
				}
			})
		}
	}
}

func appendTo(fsys afero.Fs, name, text string) error {
	old, err := afero.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	return afero.WriteFile(fsys, name, append(old, text...), 0o644)
}

// Names are as long as they may be, and say what they are.
func TestAsideName(t *testing.T) {
	t.Parallel()
	day := time.Date(2006, 1, 2, 3, 4, 5, 0, time.UTC)
	name := asideName("a.txt", "moving", day)
	require.Regexp(t, `^a\.txt \(moving 2006-01-02 .* [0-9a-f]{8}\)$`, name)
	require.NotEqual(t, name, asideName("a.txt", "moving", day))
	for _, base := range []string{strings.Repeat("x", 255), strings.Repeat("é", 127), strings.Repeat("語", 85)} {
		name := asideName(base, "replaced", day)
		require.LessOrEqual(t, len(name), 255)
		require.Greater(t, len(name), 250)
		require.True(t, strings.HasPrefix(name, base[:60]))
		require.Equal(t, name, strings.ToValidUTF8(name, "?"))
	}
}
