package syncfs

import (
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

// link makes a symbolic link on the remote, in the place of one that is there.
func (r *rig) link(target, name string) {
	r.Helper()
	_ = r.remote.Remove(name)
	require.NoError(r, r.remote.(afero.Linker).SymlinkIfPossible(target, name))
}

// The target is part of a symbolic link's version: one that another client has pointed elsewhere is not removed, renamed or
// renamed over.
func TestRetargetedLink(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(r *rig){
		"remove":           func(r *rig) { require.NoError(r, r.fs.Remove("d/l")) },
		"remove all of it": func(r *rig) { require.NoError(r, r.fs.RemoveAll("d/l")) },
		"remove what was listed": func(r *rig) {
			require.NoError(r, second(afero.ReadDir(r.fs, "d")))
			require.NoError(r, r.fs.RemoveAll("d"))
		},
		"rename":             func(r *rig) { require.NoError(r, r.fs.Rename("d/l", "d/m")) },
		"rename over":        func(r *rig) { require.NoError(r, r.fs.Rename("d/a", "d/l")) },
		"rename a link over": func(r *rig) { require.NoError(r, r.fs.Rename("d/k", "d/l")) },
		"rename a new link over": func(r *rig) {
			require.NoError(r, r.fs.SymlinkIfPossible("b", "d/n"))
			require.NoError(r, r.fs.Rename("d/n", "d/l"))
		},
		"replace by a file": func(r *rig) {
			require.NoError(r, r.fs.Remove("d/l"))
			r.write("d/l:ours")
		},
		"replace by a new file": func(r *rig) {
			r.write("d/n:ours")
			require.NoError(r, r.fs.Rename("d/n", "d/l"))
		},
		"replace by a directory": func(r *rig) {
			require.NoError(r, r.fs.Remove("d/l"))
			require.NoError(r, r.fs.Mkdir("d/l", 0o755))
		},
		"replace by a link": func(r *rig) {
			require.NoError(r, r.fs.Remove("d/l"))
			require.NoError(r, r.fs.SymlinkIfPossible("b", "d/l"))
		},
		"remove under a local file": func(r *rig) {
			r.place("d/l:by hand")
			require.NoError(r, r.fs.Remove("d/l"))
		},
		"rename a local file away": func(r *rig) {
			r.place("d/l:by hand")
			require.NoError(r, r.fs.Rename("d/l", "d/n"))
		},
	} {
		for _, foreign := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, nil)
				r.serve("d/a", "d/b")
				r.link("a", "d/l")
				r.link("a", "d/k")
				change(r)
				r.link(map[bool]string{true: "b", false: "a"}[foreign], "d/l") // the same target is the same link
				if !foreign {
					r.pushes()
					return
				}
				plan, err := r.fs.Plan(t.Context())
				require.NoError(t, err)
				conflicts := 0
				for _, p := range plan.Steps {
					if p.Action == ActionConflict {
						conflicts++
						require.ErrorIs(t, p.Err, ErrConflict)
					}
				}
				require.NotZero(t, conflicts)
				for range 2 {
					r.fails(ErrConflict)
					target, err := r.remote.(afero.LinkReader).ReadlinkIfPossible("d/l")
					require.NoError(t, err)
					require.Equal(t, "b", target)
					r.restart()
				}
				_, err = r.fs.PushWith(t.Context(), Overwrite)
				require.NoError(t, err)
				require.Empty(t, r.pending())
			})
		}
	}
}

// What is done through a link is done to the file that it led to when it was done.
func TestChangeThroughRetargetedLink(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("a", "b")
	r.link("a", "l")
	require.NoError(t, r.fs.Chmod("l", 0o600))
	r.append("l", "+")
	r.link("b", "l")
	_, err := r.push()
	require.NoError(t, err)
	r.has(r.served(), "a:a+", "b:b", "l@b")
}

// Plan sees a conflict about attributes as Push does.
func TestPlanOfAttributesInConflict(t *testing.T) {
	t.Parallel()
	for name, theirs := range map[string]func(r *rig){
		"written": func(r *rig) { r.serve("f:theirs") },
		"removed": func(r *rig) { require.NoError(r, r.remote.Remove("f")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.serve("f")
			require.NoError(t, r.fs.Chmod("f", 0o600))
			require.NoError(t, r.fs.Chmod("/", 0o700))
			theirs(r)
			plan, err := r.fs.Plan(t.Context())
			require.NoError(t, err)
			got := map[string]Action{}
			for _, p := range plan.Steps {
				got[p.Name] = p.Action
			}
			require.Equal(t, map[string]Action{"f": ActionConflict, ".": ActionSetAttr}, got)
			r.fails(ErrConflict)
		})
	}
}

// A file that became a symbolic link on the remote is opened as what it leads to.
func TestWriteWhereALinkCame(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("f:one", "other")
	r.fetch("f")
	r.link("other", "f")
	r.append("f", "+")
	_, err := r.push()
	require.NoError(t, err)
	r.has(r.served(), "f@other", "other:other+")
}
