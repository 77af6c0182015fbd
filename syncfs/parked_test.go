package syncfs

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// parkedRig has pushed the first step of a swap of d/a and d/b, and then lost the connection: d/a is aside.
func parkedRig(t *testing.T, made bool) *rig {
	t.Helper()
	r := newRig(t, nil)
	r.serve("d/a:A", "d/b:B", "d/c:C")
	r.fetch("d/a", "d/b", "d/c")
	for _, names := range [][2]string{{"d/a", "t"}, {"d/b", "d/a"}, {"t", "d/b"}} {
		require.NoError(t, r.fs.Rename(names[0], names[1]))
	}
	renames := 0
	r.plan.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Rename {
			if renames++; renames > 1 {
				r.plan.Offline(errDown)
				return errDown
			}
		}
		return nil
	})
	r.plan.After(func(op faultfs.Op, err error) error {
		if op.Kind == faultfs.Rename && !made {
			r.plan.Offline(errDown)
			return errDown
		}
		return err
	})
	r.fails(ErrUnavailable)
	r.plan.Heal()
	require.NotEmpty(t, parkedName(r))
	return r
}

// parkedName is the name under which others see what is aside; "" if there is none.
func parkedName(r *rig) string {
	for name, e := range r.served() {
		if e.Content == "A" && strings.HasPrefix(name, "d/a (moving ") {
			return name
		}
	}
	return ""
}

// What is aside shows in this side's lists and queue under the names that the program knows, whether or not the answer to
// the step has come.
func TestParkedShowsAsItIsKnown(t *testing.T) {
	t.Parallel()
	for _, made := range []bool{true, false} {
		for _, restart := range []bool{false, true} {
			r := parkedRig(t, made)
			if restart {
				r.restart()
			}
			view := []string{"d/", "d/a:B", "d/b:A", "d/c:C"}
			r.has(r.view(), view...)
			r.queued("rename d/b -> d/a", "rename d/a -> d/b")
			if made {
				plan, err := r.fs.Plan(t.Context())
				require.NoError(t, err)
				for _, step := range plan.Steps {
					require.Equal(t, ActionRename, step.Action, "%v", step)
					require.NotContains(t, step.Name+step.NewName, "moving")
				}
			}
			_, err := r.fs.Stat(parkedName(r))
			require.ErrorIs(t, err, fs.ErrNotExist)
			if restart {
				r.pushes()
				r.has(r.served(), view...)
			} else {
				require.NoError(t, r.fs.Discard("d/a"))
				r.pushes()
				r.has(r.served(), "d/", "d/a:A", "d/b:B", "d/c:C")
			}
		}
	}
}

// Discard brings what is aside back to its old name. Where others have taken that, or for the second time, it stays in
// sight under the name that it has there. What the user has put there by hand stays.
func TestDiscardWhileParked(t *testing.T) {
	t.Parallel()
	t.Run("free", func(t *testing.T) {
		t.Parallel()
		r := parkedRig(t, true)
		require.NoError(t, r.fs.Discard())
		r.queued("rename " + parkedName(r) + " -> d/a")
		r.has(r.view(), "d/", "d/a:A", "d/b:B", "d/c:C")
		r.restart()
		r.pushes()
		r.has(r.served(), "d/", "d/a:A", "d/b:B", "d/c:C")
	})
	t.Run("taken", func(t *testing.T) {
		t.Parallel()
		r := parkedRig(t, true)
		name := parkedName(r)
		r.serve("d/a:theirs")
		require.NoError(t, r.fs.Discard())
		_, err := r.push()
		require.NoError(t, err)
		r.queued()
		r.has(r.served(), name+":A", "d/", "d/a:theirs", "d/b:B", "d/c:C")
		r.has(r.view(), list(r.served())...)
		require.NoError(t, r.fs.Rename(name, "d/found again"))
		r.pushes()
	})
	t.Run("twice", func(t *testing.T) {
		t.Parallel()
		r := parkedRig(t, true)
		require.NoError(t, r.fs.Discard())
		require.NoError(t, r.fs.Discard())
		r.queued()
		require.Empty(t, aferotest.Diff(r.served(), r.view()))
	})
	t.Run("directory renamed", func(t *testing.T) {
		t.Parallel()
		r := parkedRig(t, true)
		require.NoError(t, r.remote.Rename("d", "e"))
		r.fails(ErrConflict)
		require.NoError(t, r.fs.Discard())
		_, err := r.push()
		require.NoError(t, err)
		r.queued()
		require.Equal(t, 3, len(unhidden(r)))
	})
	t.Run("by hand", func(t *testing.T) {
		t.Parallel()
		for _, name := range []string{"d/a", ""} {
			r := parkedRig(t, true)
			if name == "" {
				name = parkedName(r)
			} else {
				require.NoError(t, r.fs.Rename("d/a", "d/n")) // what was d/b
			}
			r.place(name + ":mine")
			require.NoError(t, r.fs.Discard())
			_, err := r.push()
			require.NoError(t, err)
			r.queued()
			r.reads(name, "mine")
			require.Equal(t, 3, len(unhidden(r)))
		}
	})
	t.Run("removed since", func(t *testing.T) {
		t.Parallel()
		r := parkedRig(t, true)
		require.NoError(t, r.fs.Remove("d/b"))
		r.queued("rename d/b -> d/a", "remove d/a")
		require.NoError(t, r.fs.Discard())
		r.pushes()
		r.has(r.served(), "d/", "d/a:A", "d/b:B", "d/c:C")
	})
	t.Run("renamed since", func(t *testing.T) {
		t.Parallel()
		r := parkedRig(t, true)
		require.NoError(t, r.fs.Rename("d/b", "d/n"))
		r.queued("rename d/b -> d/a", "rename d/a -> d/n")
		r.pushes()
		r.has(r.served(), "d/", "d/a:B", "d/c:C", "d/n:A")
	})
}

// A step that the remote refuses after something was moved aside for it: that goes back to its name, at once.
func TestRefusedStepOfACycle(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("a:A", "b:B")
	cyclings[0].rename(r)
	r.plan.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Rename && op.Name == "/b" {
			return fs.ErrPermission
		}
		return nil
	})
	report := r.fails(fs.ErrPermission)
	require.Len(t, report.Results, 2)
	r.has(r.served(), "a:A", "b:B")
	r.queued("rename b -> a", "rename a -> b")
	r.plan.Heal()
	r.pushes()
	r.has(r.served(), "a:B", "b:A")
}

// Where the remote does not replace by rename, and neither the second step succeeds nor the way back: what was there is
// in sight under a name of its own, and the next push puts it back, or Discard and a push.
func TestLeftAside(t *testing.T) {
	t.Parallel()
	for _, rename := range []bool{false, true} {
		for _, end := range []string{"push", "restart", "discard"} {
			r := newRig(t, nil)
			r.cannotReplace(true)
			r.serve("x:the old one", "z:Z")
			if rename {
				require.NoError(t, r.fs.Rename("z", "x"))
			} else {
				r.write("x:the new one")
			}
			aside := ""
			r.plan.Before(func(op faultfs.Op) error {
				if op.Kind == faultfs.Rename && aside != "" {
					return fs.ErrPermission
				}
				return nil
			})
			r.plan.After(func(op faultfs.Op, err error) error {
				if op.Kind == faultfs.Rename && op.Name == "/x" && err == nil {
					aside = op.NewName
				}
				return err
			})
			r.fails(fs.ErrPermission)
			require.True(t, strings.HasPrefix(aside, "/x (replaced "), aside)
			require.Equal(t, "the old one", r.remoteText(aside[1:]))
			_, err := r.fs.Stat(aside)
			require.ErrorIs(t, err, fs.ErrNotExist)
			r.plan.Heal()
			if end == "restart" {
				r.restart()
			}
			if end == "discard" {
				require.NoError(t, r.fs.Discard())
				r.pushes()
				r.has(r.served(), "x:the old one", "z:Z")
				continue
			}
			first := aside
			r.plan.After(func(op faultfs.Op, err error) error {
				if op.Kind == faultfs.Rename && op.Name == "/x" && err == nil {
					aside = op.NewName
				}
				return err
			})
			r.pushes()
			require.NotEqual(t, first, aside, "another name for another attempt")
			if rename {
				r.has(r.served(), "x:Z")
			} else {
				r.has(r.served(), "x:the new one", "z:Z")
			}
		}
	}
}
