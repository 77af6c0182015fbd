package syncfs

import (
	"os"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

// theirs is what another client does to the remote between a change here and the push of it.
type theirs struct {
	name string
	do   func(r *rig)
	left []string // of what the test prepares, as list shows it
}

// Each change is made to a version; another one at the time of the push is a conflict.
func TestConflicts(t *testing.T) {
	t.Parallel()
	theirWrite := theirs{"written", func(r *rig) { r.serve("d/x:by another client") }, []string{"d/x:by another client"}}
	theirRemoval := theirs{"removed", func(r *rig) { require.NoError(r, r.remote.Remove("d/x")) }, nil}
	theirDir := theirs{"made a directory", func(r *rig) {
		require.NoError(r, r.remote.Remove("d/x"))
		r.serve("d/x/in")
	}, []string{"d/x/", "d/x/in:d/x/in"}}
	theirLink := theirs{"made a link", func(r *rig) {
		require.NoError(r, r.remote.Remove("d/x"))
		require.NoError(r, r.remote.(afero.Linker).SymlinkIfPossible("d", "d/x"))
	}, []string{"d/x@d"}}
	made := theirs{"made", func(r *rig) { r.serve("d/n:by another client") }, []string{"d/n:by another client"}}
	all := []theirs{theirWrite, theirRemoval, theirDir, theirLink}
	for _, c := range []struct {
		name   string
		change func(r *rig)
		theirs []theirs
		queue  []string
	}{
		{"edit", func(r *rig) { r.append("d/x", "+") }, all, []string{"put d/x"}},
		{"truncate", func(r *rig) { r.write("d/x:ours") }, all, []string{"put d/x"}},
		{"edit behind its back", func(r *rig) {
			r.fetch("d/x")
			r.place("d/x:edited")
			require.NoError(r, r.fs.AddDir("d", nil))
		}, all, []string{"put d/x"}},
		{"add of a copy", func(r *rig) {
			r.fetch("d/x")
			require.NoError(r, r.fs.Add("d/x"))
		}, all, []string{"put d/x"}},
		{"write, then rename over it", func(r *rig) {
			r.write("d/temp:ours")
			require.NoError(r, r.fs.Rename("d/temp", "d/x"))
		}, all, []string{"put d/x"}},
		{"rename over it", func(r *rig) { require.NoError(r, r.fs.Rename("d/y", "d/x")) }, all, []string{"rename d/y -> d/x"}},
		{"rename", func(r *rig) { require.NoError(r, r.fs.Rename("d/x", "d/n")) }, append(all, made), []string{"rename d/x -> d/n"}},
		{"remove", func(r *rig) { require.NoError(r, r.fs.Remove("d/x")) },
			[]theirs{theirWrite, theirDir, theirLink}, []string{"remove d/x"}},
		{"remove, make again", func(r *rig) {
			require.NoError(r, r.fs.Remove("d/x"))
			r.write("d/x:ours")
		}, all, []string{"put d/x"}},
		{"remove, make a directory", func(r *rig) {
			require.NoError(r, r.fs.Remove("d/x"))
			require.NoError(r, r.fs.Mkdir("d/x", 0o755))
		}, []theirs{theirWrite, theirLink}, []string{"remove d/x", "mkdir d/x"}},
		{"make", func(r *rig) { r.write("d/n:ours") }, []theirs{made}, []string{"put d/n"}},
		{"chmod", func(r *rig) { require.NoError(r, r.fs.Chmod("d/x", 0o600)) },
			[]theirs{theirWrite, theirDir, theirLink}, []string{"setattr d/x"}},
		{"chtimes", func(r *rig) { require.NoError(r, r.fs.Chtimes("d/x", time.Unix(1, 0), time.Unix(1, 0))) },
			[]theirs{theirWrite, theirDir, theirLink}, []string{"setattr d/x"}},
	} {
		for _, theirs := range c.theirs {
			t.Run(c.name+"/"+theirs.name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, nil)
				r.serve("d/x", "d/y", "other", "renamed")
				c.change(r)
				r.append("other", " edited")
				require.NoError(t, r.fs.Rename("renamed", "to"))
				r.queued(append(c.queue, "put other", "rename renamed -> to")...)
				theirs.do(r)

				report := r.fails(ErrConflict)
				require.Equal(t, len(c.queue), report.Failed)
				r.queued(c.queue...)
				for _, change := range r.fs.Pending() {
					if change.Attempts > 0 {
						require.Equal(t, 1, change.Attempts)
						require.ErrorIs(t, change.Err, ErrConflict)
					}
				}
				want := append([]string{"d/", "d/y:d/y", "other:other edited", "to:renamed"}, theirs.left...)
				if theirs.name == "made" { // beside it
					want = append(want, "d/x:d/x")
				}
				r.has(r.served(), want...)

				// It stays so, and a restart changes nothing.
				r.restart()
				r.fails(ErrConflict)
				r.queued(c.queue...)
				require.Equal(t, 2, r.fs.Pending()[0].Attempts)
				r.has(r.served(), want...)
				// Discarding ends it.
				require.NoError(t, r.fs.Discard())
				_, err := r.push()
				require.NoError(t, err)
				r.queued()
				r.has(r.served(), want...)
			})
		}
	}
}

// What is gone already need not be removed, and is no conflict.
func TestRemovedThereToo(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("x", "d/y")
	require.NoError(t, r.fs.Remove("x"))
	require.NoError(t, r.fs.RemoveAll("d"))
	require.NoError(t, r.remote.Remove("x"))
	require.NoError(t, r.remote.RemoveAll("d"))
	r.pushes()
	r.has(r.served())
}

// RemoveAll removes what was there. What another client makes there meanwhile stays, with its directories.
func TestRemoveAllConflict(t *testing.T) {
	t.Parallel()
	for _, policy := range []ConflictPolicy{Fail, Overwrite} {
		r := newRig(t, &Options{Conflict: policy})
		r.serve("d/a", "d/e/b", "d/f/c")
		require.NoError(t, r.fs.RemoveAll("d"))
		r.serve("d/e/theirs")
		r.fails(ErrConflict)
		r.has(r.served(), "d/", "d/e/", "d/e/theirs:d/e/theirs")
		r.queued("remove d", "remove d/e")
		require.NoError(t, r.remote.Remove("d/e/theirs"))
		r.pushes()
		r.has(r.served())
	}
}

// With Overwrite ours wins, whatever version they made.
func TestOverwrite(t *testing.T) {
	t.Parallel()
	r := newRig(t, &Options{Conflict: Overwrite})
	r.serve("edited", "removed", "gone", "over", "from")
	r.append("edited", "+")
	r.append("gone", "+")
	r.write("made:ours")
	require.NoError(t, r.fs.Remove("removed"))
	require.NoError(t, r.fs.Rename("from", "over"))
	require.NoError(t, r.remote.Remove("gone"))
	for _, name := range []string{"edited", "removed", "over", "made"} {
		r.serve(name + ":by another client")
	}
	r.pushes()
	r.has(r.served(), "edited:edited+", "gone:gone+", "made:ours", "over:from")
}

// The same bytes are no conflict, whoever wrote them.
func TestEqualContent(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("edited", "removed")
	r.append("edited", "+")
	r.append("removed", "+")
	r.write("made:the same")
	require.NoError(t, r.remote.Remove("removed"))
	r.serve("edited:edited+", "made:the same", "removed:removed+")
	old := time.Unix(1e9, 0)
	for _, name := range []string{"edited", "made", "removed"} {
		require.NoError(t, r.remote.Chtimes(name, old, old))
	}
	r.pushes()
	r.has(r.served(), "edited:edited+", "made:the same", "removed:removed+")
}

// Add, and creating while the remote gives no answer, replace unseen.
func TestUnknownBase(t *testing.T) {
	t.Parallel()
	for _, theirs := range []string{"made", "written"} {
		r := newRig(t, nil)
		if theirs == "written" {
			r.serve("added:before", "created:before", "d/added:before")
		}
		r.place("added:ours", "d/added:ours")
		require.NoError(t, r.fs.Add("added"))
		require.NoError(t, r.fs.Add("d/added"))
		r.down()
		r.write("created:ours")
		r.up()
		r.serve("added:by another client", "created:by another client", "d/added:by another client")
		r.pushes()
		r.has(r.served(), "added:ours", "created:ours", "d/", "d/added:ours")
	}
}

// A change that was made to what the remote has now is pushed, whatever was seen before: the base is asked for when a
// file is opened for writing first, if its content is kept or no copy is here.
func TestBaseIsTakenAtFirstWrite(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("x:one", "y:one", "gone:one")
	r.fetch("x", "gone")
	require.Equal(t, int64(3), r.size("y"))
	r.serve("x:version two", "y:version two")
	require.NoError(t, r.remote.Remove("gone"))
	r.reads("x", "one") // never asked again by default
	r.append("x", "+")
	r.reads("x", "version two+")
	r.write("y:ours")
	r.append("gone", "+")
	r.pushes()
	r.has(r.served(), "x:version two+", "y:ours", "gone:one+")
}

// The same client's own push is never a foreign change.
func TestOwnPush(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("x", "d/y", "z")
	for round := range 6 {
		r.append("x", "+")
		r.append("d/y", "+")
		r.write("z:same length, same second " + string(rune('a'+round)))
		if round%2 == 0 {
			r.write("n")
			require.NoError(t, r.fs.Rename("d", "e"))
			require.NoError(t, r.fs.Rename("e", "d"))
		} else {
			require.NoError(t, r.fs.Remove("n"))
			require.NoError(t, r.fs.Chmod("x", 0o600))
			require.NoError(t, r.fs.Chtimes("z", time.Unix(5e8, 0), time.Unix(5e8, 0)))
		}
		report := r.pushes()
		require.Zero(t, report.Failed)
		if round == 3 {
			r.restart()
		}
	}
	r.reads("x", "x++++++")
}

// A handle that stays open over a push goes on with what was pushed as its base.
func TestOwnPushHandleOpen(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	f, err := r.fs.OpenFile("x", os.O_RDWR|os.O_CREATE, 0o644)
	require.NoError(t, err)
	defer f.Close()
	for range 5 {
		_, err := f.WriteString("line\n")
		require.NoError(t, err)
		require.NoError(t, f.Sync())
		r.pushes()
	}
	r.has(r.served(), "x:line\nline\nline\nline\nline\n")
}

// A change that carries no content, made to what Overwrite lets it be made to, does not make an older copy pass for the
// version that the remote has.
func TestOverwriteTakesRemotesVersion(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(r *rig){
		"rename": func(r *rig) { require.NoError(r, r.fs.Rename("x", "y")) },
		"chmod": func(r *rig) {
			require.NoError(r, r.fs.Chmod("x", 0o600))
			require.NoError(r, r.fs.Chtimes("x", time.Unix(1, 0), time.Unix(1, 0)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, &Options{Conflict: Overwrite})
			r.serve("x")
			r.reads("x", "x")
			r.serve("x:theirs")
			change(r)
			r.pushes()
		})
	}
}

// What there is nothing left of to set attributes of is a conflict under any policy.
func TestAttributesOfRemoved(t *testing.T) {
	t.Parallel()
	for _, policy := range []ConflictPolicy{Fail, Overwrite, KeepBoth} {
		r := newRig(t, &Options{Conflict: policy})
		r.serve("x")
		require.NoError(t, r.fs.Chmod("x", 0o600))
		require.NoError(t, r.remote.Remove("x"))
		r.fails(ErrConflict)
	}
}
