package syncfs

import (
	"cmp"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// A step in doubt is reported as made if it was made, although it is not planned any more; not because the program takes the
// change back before Push finds out.
func TestReportOfAStepInDoubt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change, takeBack func(r *rig)
		kind             faultfs.Kind
		want             []string // reported
	}{
		"new file": {
			func(r *rig) { r.write("n") },
			func(r *rig) { require.NoError(r, r.fs.Remove("n")) },
			faultfs.Rename, nil,
		},
		"edit, removal": {
			func(r *rig) { r.append("x", "+") },
			func(r *rig) { require.NoError(r, r.fs.Remove("x")) },
			faultfs.Rename, []string{"remove x"},
		},
		"directory": {
			func(r *rig) { require.NoError(r, r.fs.Mkdir("n", 0o755)) },
			func(r *rig) { require.NoError(r, r.fs.Remove("n")) },
			faultfs.Mkdir, nil,
		},
		"symbolic link": {
			func(r *rig) { require.NoError(r, r.fs.SymlinkIfPossible("x", "n")) },
			func(r *rig) { require.NoError(r, r.fs.Remove("n")) },
			faultfs.Symlink, nil,
		},
		"rename back": {
			func(r *rig) { require.NoError(r, r.fs.Rename("x", "n")) },
			func(r *rig) { require.NoError(r, r.fs.Rename("n", "x")) },
			faultfs.Rename, nil,
		},
		"removal": {
			func(r *rig) { require.NoError(r, r.fs.Remove("x")) },
			func(r *rig) {
				f, err := r.fs.OpenFile("x", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
				require.NoError(r, err)
				require.NoError(r, f.Close())
			},
			faultfs.Remove, []string{"put x"},
		},
	} {
		for _, made := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/made %v", name, made), func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					r := newRig(t, &Options{RetryFor: time.Minute})
					r.serve("x")
					c.change(r)
					want := c.want
					if made {
						want = r.pending()
					}
					lose := func(op faultfs.Op, err error) error {
						if op.Kind != c.kind || err != nil {
							return err
						}
						r.plan.Heal()
						if !made {
							c.takeBack(r)
						}
						return errDown
					}
					if made {
						r.plan.After(lose)
					} else {
						r.plan.Before(func(op faultfs.Op) error { return lose(op, nil) })
					}
					var reported []string
					for _, result := range r.pushes().Results {
						require.NoError(t, result.Err)
						reported = append(reported, result.String())
					}
					require.Equal(t, want, reported)
				})
			})
		}
	}
}

// The program may change a name while Push finds out what became of a step there. That is no conflict with anybody, at
// whichever request the change comes.
func TestChangeWhilePushFindsOut(t *testing.T) {
	t.Parallel()
	replace := func(text string) func(*rig) {
		return func(r *rig) {
			r.write("temp:" + text)
			require.NoError(r, r.fs.Rename("temp", "x"))
		}
	}
	remove := func(name string) func(*rig) { return func(r *rig) { require.NoError(r, r.fs.Remove(name)) } }
	changes := map[string]struct{ first, then func(*rig) }{
		"replaced, replaced":    {replace("first"), replace("then")},
		"replaced, removed":     {replace("first"), remove("x")},
		"replaced, written":     {replace("first"), func(r *rig) { r.write("x:then") }},
		"replaced, renamed":     {replace("first"), func(r *rig) { require.NoError(r, r.fs.Rename("x", "y")) }},
		"written, replaced":     {func(r *rig) { r.write("x:first") }, replace("then")},
		"removed, replaced":     {remove("x"), replace("then")},
		"new, removed":          {func(r *rig) { r.write("n") }, remove("n")},
		"new, replaced":         {func(r *rig) { r.write("n") }, func(r *rig) { require.NoError(r, r.fs.Rename("x", "n")) }},
		"renamed, replaced":     {func(r *rig) { require.NoError(r, r.fs.Rename("y", "x")) }, replace("then")},
		"renamed, renamed back": {func(r *rig) { require.NoError(r, r.fs.Rename("x", "n")) }, func(r *rig) { require.NoError(r, r.fs.Rename("n", "x")) }},
	}
	for name, c := range changes {
		for _, opts := range []Options{{}, {Publish: PublishDirect}} {
			for _, kind := range []faultfs.Kind{faultfs.Rename, faultfs.Close, faultfs.Remove} {
				for _, made := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s/%v/%v/made %v", name, opts.Publish, kind, made), func(t *testing.T) {
						inBubble(t, func(t *testing.T) {
							for at := int64(0); ; at++ {
								if !changeWhilePushFindsOut(t, opts, kind, made, at, c.first, c.then) {
									require.Less(t, at, int64(100))
									break
								}
							}
						})
					})
				}
			}
		}
	}
}

// changeWhilePushFindsOut loses the answer to a request of one Push. A change is made before the request with a number of the
// next one. It reports whether there was such a request.
func changeWhilePushFindsOut(t *testing.T, o Options, kind faultfs.Kind, made bool, at int64, first, then func(*rig)) (came bool) {
	r := newRig(t, &o)
	defer r.end()
	r.serve("x:old", "y:another")
	first(r)
	r.endAt(kind, made)
	if _, err := r.push(); err == nil {
		return false // there is no such request
	}
	r.plan.Heal()
	var requests atomic.Int64
	changed := make(chan struct{})
	r.plan.Before(func(faultfs.Op) error {
		if requests.Add(1) == at+1 {
			go func() { defer close(changed); then(r) }()
			select {
			case <-changed:
			case <-time.After(time.Second): // it waits for the request
			}
		}
		return nil
	})
	_, err := r.push()
	if came = requests.Load() > at; came {
		<-changed
	}
	require.NotErrorIs(t, err, ErrConflict, "a change before request %d", at)
	r.plan.Heal()
	r.pushes()
	return came
}

// After a step in doubt was discarded, all that the view shows can be read, whether the step was made or not.
func TestDiscardOfAStepInDoubt(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(r *rig){
		"removal":                  func(r *rig) { require.NoError(r, r.fs.Remove("d/x")) },
		"removal of a link":        func(r *rig) { require.NoError(r, r.fs.Remove("d/l")) },
		"removal of all":           func(r *rig) { require.NoError(r, r.fs.RemoveAll("d")) },
		"removal of a directory":   func(r *rig) { require.NoError(r, r.fs.Remove("empty")) },
		"file becomes a directory": func(r *rig) { require.NoError(r, r.fs.Remove("d/x")); require.NoError(r, r.fs.Mkdir("d/x", 0o755)) },
		"rename":                   func(r *rig) { require.NoError(r, r.fs.Rename("d/x", "d/n")) },
		"rename over":              func(r *rig) { require.NoError(r, r.fs.Rename("d/x", "d/y")) },
		"rename of a directory":    func(r *rig) { require.NoError(r, r.fs.Rename("d", "e")) },
		"edit":                     func(r *rig) { r.write("d/x:anew") },
		"edit, renamed":            func(r *rig) { r.write("d/x:anew"); require.NoError(r, r.fs.Rename("d", "e")) },
		"swap": func(r *rig) {
			require.NoError(r, r.fs.Rename("d/x", "t"))
			require.NoError(r, r.fs.Rename("d/y", "d/x"))
			require.NoError(r, r.fs.Rename("t", "d/y"))
		},
	} {
		for _, kind := range []faultfs.Kind{faultfs.Remove, faultfs.Rename} {
			for _, local := range []bool{false, true} {
				for _, made := range []bool{false, true} {
					for _, revalidate := range []time.Duration{0, cachefs.Always} {
						t.Run(fmt.Sprintf("%s/%s/local %v/made %v/revalidate %v", name, kind, local, made, revalidate), func(t *testing.T) {
							inBubble(t, func(t *testing.T) {
								r := newRig(t, &Options{RetryFor: -1, Cache: cachefs.Options{Revalidate: revalidate}})
								r.serve("d/x", "d/y", "empty/")
								r.link("y", "d/l")
								if local {
									r.fetch("d/x", "d/y")
								}
								change(r)
								r.endAt(kind, made)
								_, err := r.push()
								r.plan.Heal()
								if err == nil {
									return // it makes no such request
								}
								require.ErrorIs(t, err, ErrUnavailable)
								require.NoError(t, r.fs.Discard())
								r.view() // reads all files
								r.pushes()
								require.Equal(t, r.served(), r.view())
							})
						})
					}
				}
			}
		}
	}
}

// endAt has the remote not answer any more from the first operation of a kind, which it executes if made is set.
func (r *rig) endAt(kind faultfs.Kind, made bool) {
	end := func(op faultfs.Op) error {
		if op.Kind != kind {
			return nil
		}
		r.down()
		return errDown
	}
	if made {
		r.plan.After(func(op faultfs.Op, err error) error { return cmp.Or(end(op), err) })
	} else {
		r.plan.Before(end)
	}
}
