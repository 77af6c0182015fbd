package syncfs

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// A step that was made, but whose answer was lost, is found out by the next push: it is not made again, and is no
// conflict.
func TestOutcomeUnknown(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(r *rig)
		kind   faultfs.Kind
		want   []string
	}{
		{"publish over a file", func(r *rig) { r.append("x", "+") }, faultfs.Rename, []string{"x:x+", "d/", "d/y:d/y"}},
		{"publish a new file", func(r *rig) { r.write("n") }, faultfs.Rename, []string{"x:x", "d/", "d/y:d/y", "n:n"}},
		{"publish over a rename", func(r *rig) {
			r.write("n")
			require.NoError(r, r.fs.Rename("n", "x"))
		}, faultfs.Rename, []string{"x:n", "d/", "d/y:d/y"}},
		{"rename", func(r *rig) { require.NoError(r, r.fs.Rename("x", "n")) }, faultfs.Rename, []string{"n:x", "d/", "d/y:d/y"}},
		{"rename over a file", func(r *rig) { require.NoError(r, r.fs.Rename("d/y", "x")) }, faultfs.Rename,
			[]string{"x:d/y", "d/"}},
		{"rename a directory", func(r *rig) { require.NoError(r, r.fs.Rename("d", "e")) }, faultfs.Rename,
			[]string{"x:x", "e/", "e/y:d/y"}},
		{"swap", func(r *rig) {
			require.NoError(r, r.fs.Rename("x", "t"))
			require.NoError(r, r.fs.Rename("d/y", "x"))
			require.NoError(r, r.fs.Rename("t", "d/y"))
		}, faultfs.Rename, []string{"x:d/y", "d/", "d/y:x"}},
		{"remove", func(r *rig) { require.NoError(r, r.fs.Remove("x")) }, faultfs.Remove, []string{"d/", "d/y:d/y"}},
		{"remove a directory", func(r *rig) { require.NoError(r, r.fs.RemoveAll("d")) }, faultfs.Remove, []string{"x:x"}},
		{"make a directory", func(r *rig) { require.NoError(r, r.fs.Mkdir("n", 0o755)) }, faultfs.Mkdir,
			[]string{"x:x", "d/", "d/y:d/y", "n/"}},
		{"make a link", func(r *rig) { require.NoError(r, r.fs.SymlinkIfPossible("x", "n")) }, faultfs.Symlink,
			[]string{"x:x", "d/", "d/y:d/y", "n@x"}},
		{"attributes", func(r *rig) { require.NoError(r, r.fs.Chmod("x", 0o600)) }, faultfs.Chmod,
			[]string{"x:x", "d/", "d/y:d/y"}},
	} {
		for _, restart := range []bool{false, true} {
			for _, policy := range []ConflictPolicy{Fail, Overwrite, KeepBoth} {
				t.Run(fmt.Sprintf("%s/restart %v/policy %d", c.name, restart, policy), func(t *testing.T) {
					t.Parallel()
					r := newRig(t, &Options{Conflict: policy})
					r.serve("x", "d/y")
					c.change(r)
					view := list(r.view())
					// Each of the steps loses its answer once.
					lost, made := map[string]bool{}, map[string]int{}
					r.loseAnswers(c.kind, lost, made)
					for range 8 {
						_, err := r.push()
						if err == nil {
							break
						}
						require.ErrorIs(t, err, ErrUnavailable)
						require.NotErrorIs(t, err, ErrConflict)
						r.has(r.view(), view...)
						if restart {
							r.restart()
						}
					}
					r.plan.Heal()
					require.NotEmpty(t, lost)
					r.pushes()
					r.has(r.served(), c.want...)
					if c.kind != faultfs.Chmod {
						for op, times := range made {
							require.Equal(t, 1, times, op)
						}
					}
				})
			}
		}
	}
}

// loseAnswers has each operation of a kind succeed, but be reported as failed the first time.
func (r *rig) loseAnswers(kind faultfs.Kind, lost map[string]bool, made map[string]int) {
	var mu sync.Mutex
	r.plan.After(func(op faultfs.Op, err error) error {
		if op.Kind != kind || err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		key := fmt.Sprintln(op.Kind, op.Name, op.NewName)
		made[key]++
		if !lost[key] {
			lost[key] = true
			return errDown
		}
		return nil
	})
}

// What is done here between a step whose answer was lost and the next push stands, whatever became of the step.
func TestOutcomeUnknownThenChanged(t *testing.T) {
	t.Parallel()
	changes := []struct {
		name   string
		change func(r *rig)
		kind   faultfs.Kind
	}{
		{"edit", func(r *rig) { r.append("d/x", "+") }, faultfs.Rename},
		{"make", func(r *rig) { require.NoError(r, r.fs.Remove("d/x")); r.pushes(); r.write("d/x:new") }, faultfs.Rename},
		{"rename to it", func(r *rig) { require.NoError(r, r.fs.Rename("d/y", "d/x")) }, faultfs.Rename},
	}
	then := []struct {
		name string
		do   func(r *rig)
	}{
		{"edited", func(r *rig) { r.write("d/x:edited again") }},
		{"renamed", func(r *rig) { require.NoError(r, r.fs.Rename("d/x", "n")) }},
		{"renamed with its directory", func(r *rig) { require.NoError(r, r.fs.Rename("d", "e")) }},
		{"removed", func(r *rig) { require.NoError(r, r.fs.Remove("d/x")) }},
		{"removed with its directory", func(r *rig) { require.NoError(r, r.fs.RemoveAll("d")) }},
		{"replaced", func(r *rig) {
			r.write("d/temp:in its place")
			require.NoError(r, r.fs.Rename("d/temp", "d/x"))
		}},
		{"removed and made", func(r *rig) {
			require.NoError(r, r.fs.Remove("d/x"))
			r.write("d/x:made again")
		}},
		{"removed and made a directory", func(r *rig) {
			require.NoError(r, r.fs.Remove("d/x"))
			r.write("d/x/in:in")
		}},
	}
	for _, c := range changes {
		for _, then := range then {
			for _, happened := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/%s/happened %v", c.name, then.name, happened), func(t *testing.T) {
					t.Parallel()
					r := newRig(t, nil)
					r.serve("d/x", "d/y")
					c.change(r)
					lose := func(op faultfs.Op) error {
						if op.Kind == c.kind {
							return errDown
						}
						return nil
					}
					if happened {
						r.plan.After(func(op faultfs.Op, err error) error {
							if err == nil {
								err = lose(op)
							}
							return err
						})
					} else {
						r.plan.Before(lose)
					}
					r.fails(ErrUnavailable)
					r.plan.Heal()
					then.do(r)
					view := list(r.view())
					r.pushes()
					r.has(r.served(), view...)
				})
			}
		}
	}
}

// A step that the log holds, though it failed when it was told of it, was not sent: it is sent by the next push, from
// what was uploaded for it, and is no conflict.
func TestIntentRecordedByFailingLog(t *testing.T) {
	t.Parallel()
	for writes := 0; ; writes++ {
		local, plan := crashfs.New(nil), new(faultfs.Plan)
		remote := aferotest.OS(t.TempDir())
		require.NoError(t, afero.WriteFile(remote, "x", []byte("x"), 0o644))
		s, err := New(remote, faultfs.New(local, plan), &Options{RetryFor: -1})
		require.NoError(t, err)
		require.NoError(t, afero.WriteFile(s, "x", []byte("changed"), 0o644))
		left := writes
		plan.After(func(op faultfs.Op, err error) error {
			if op.Kind == faultfs.WriteAt && left >= 0 && strings.Contains(op.Name, "log") {
				if left--; left < 0 {
					plan.Offline(errDown)
					return errDown
				}
			}
			return err
		})
		_, err = s.Push(t.Context())
		plan.Heal()
		if left >= 0 {
			require.NoError(t, err)
			require.NoError(t, s.Close())
			require.Greater(t, writes, 2)
			return
		}
		_ = s.Close() // which says once more that the log has failed
		again := newFs(t, remote, local, nil)
		_, err = again.Push(t.Context())
		require.NoError(t, err, "at write %d of the log", writes)
		require.Empty(t, again.Pending())
	}
}
