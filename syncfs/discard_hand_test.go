package syncfs

import (
	"fmt"
	"io/fs"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// What the user has put by hand where Discard takes something back to stays as it is, and is what the program sees.
func TestDiscardOverTheUsers(t *testing.T) {
	t.Parallel()
	rename := func(r *rig, from, to string) { require.NoError(r, r.fs.Rename(from, to)) }
	for _, c := range []struct {
		name   string
		change func(r *rig)
		hand   []string
		view   []string // then
		kept   []string // in .syncfs/discarded
	}{
		{"rename", func(r *rig) { rename(r, "a", "n") }, []string{"a:mine"},
			[]string{"a:mine", "d/", "d/x:d/x", "d/y:d/y"}, nil},
		{"rename a copy", func(r *rig) { r.fetch("a"); rename(r, "a", "n") }, []string{"a:mine"},
			[]string{"a:mine", "d/", "d/x:d/x", "d/y:d/y"}, nil},
		{"rename and edit", func(r *rig) { r.append("a", "+"); rename(r, "a", "n") }, []string{"a:mine"},
			[]string{"a:mine", "d/", "d/x:d/x", "d/y:d/y"}, []string{"a+"}},
		{"rename a copy, edit it by hand", func(r *rig) {
			r.fetch("a")
			rename(r, "a", "n")
			r.place("n:edited by hand")
		}, []string{"a:mine"}, []string{"a:mine", "d/", "d/x:d/x", "d/y:d/y"}, []string{"edited by hand"}},
		{"remove", func(r *rig) { r.fetch("a"); require.NoError(r, r.fs.Remove("a")) }, []string{"a:mine"},
			[]string{"a:mine", "d/", "d/x:d/x", "d/y:d/y"}, nil},
		{"a directory in the place of a file", func(r *rig) { r.fetch("a"); rename(r, "a", "n") }, []string{"a/in:mine"},
			[]string{"a/", "a/in:mine", "d/", "d/x:d/x", "d/y:d/y"}, nil},
		{"remove, a directory", func(r *rig) { require.NoError(r, r.fs.Remove("a")) }, []string{"a/in:mine"},
			[]string{"a/", "a/in:mine", "d/", "d/x:d/x", "d/y:d/y"}, nil},
		{"rename a directory, a file", func(r *rig) { r.fetch("d/x", "d/y"); rename(r, "d", "n") }, []string{"d:mine"},
			[]string{"a:a", "d:mine"}, nil},
		{"rename a directory, change it, a file", func(r *rig) {
			r.fetch("d/x")
			rename(r, "d", "n")
			r.append("n/y", "+")
			r.write("n/made:made")
			rename(r, "a", "n/a")
			rename(r, "n/x", "x")
		}, []string{"d:mine", "n/hand:in it"}, []string{"a:a", "d:mine"}, []string{"d/y+", "made", "/hand:in it"}},
		{"remove a directory, a file", func(r *rig) { require.NoError(r, r.fs.RemoveAll("d")) }, []string{"d:mine"},
			[]string{"a:a", "d:mine"}, nil},
		{"rename a directory, a directory", func(r *rig) { r.fetch("d/x", "d/y"); rename(r, "d", "n") },
			[]string{"d/x:mine", "d/z:mine too", "n/hand:in it", "n/z:in it too"},
			[]string{"a:a", "d/", "d/x:mine", "d/y:d/y", "d/z:mine too", "d/hand:in it"}, []string{"in it too"}},
		{"remove a directory, a directory", func(r *rig) { r.fetch("d/x"); require.NoError(r, r.fs.RemoveAll("d")) },
			[]string{"d/x:mine", "d/z:mine too"},
			[]string{"a:a", "d/", "d/x:mine", "d/y:d/y", "d/z:mine too"}, nil},
		{"out of a renamed directory", func(r *rig) { r.fetch("d/x"); rename(r, "d", "n"); rename(r, "n/x", "x") },
			[]string{"n/x:mine"}, []string{"a:a", "d/", "d/x:mine", "d/y:d/y"}, nil},
		{"swap", func(r *rig) {
			r.fetch("a", "d/x")
			rename(r, "a", "t")
			rename(r, "d/x", "a")
			rename(r, "t", "d/x")
		}, nil, []string{"a:a", "d/", "d/x:d/x", "d/y:d/y"}, nil},
		{"a directory that was made", func(r *rig) {
			require.NoError(r, r.fs.Remove("a"))
			r.write("a/in:ours")
		}, []string{"a/hand:mine"}, []string{"a/", "a/hand:mine", "d/", "d/x:d/x", "d/y:d/y"}, []string{"ours"}},
	} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/restart %v", c.name, restart), func(t *testing.T) {
				t.Parallel()
				r := newRig(t, nil)
				r.serve("a", "d/x", "d/y")
				before := r.served()
				c.change(r)
				r.place(c.hand...)
				if restart {
					r.restart()
				}
				require.NoError(t, r.fs.Discard())
				for range 2 {
					r.queued()
					r.has(r.view(), c.view...)
					require.ElementsMatch(t, c.kept, r.discardedTree())
					r.restart()
				}
				_, err := r.fs.Pull(t.Context(), "/")
				require.NoError(t, err)
				_, err = r.push()
				require.NoError(t, err)
				require.Empty(t, aferotest.Diff(before, r.served()))
				r.has(r.view(), c.view...)
				infos, err := afero.ReadDir(r.local, ".syncfs/trash")
				require.NoError(t, err)
				require.Empty(t, infos)
			})
		}
	}
}

// discardedTree is discarded, of which directories have all that is in them, each with a slash.
func (r *rig) discardedTree() []string {
	texts := []string{}
	infos, err := afero.ReadDir(r.local, ".syncfs/discarded")
	require.NoError(r, err)
	for _, info := range infos {
		name := ".syncfs/discarded/" + info.Name()
		if !info.IsDir() {
			text, err := afero.ReadFile(r.local, name)
			require.NoError(r, err)
			texts = append(texts, string(text))
			continue
		}
		in, err := afero.ReadDir(r.local, name)
		require.NoError(r, err)
		for _, info := range in {
			text, err := afero.ReadFile(r.local, name+"/"+info.Name())
			require.NoError(r, err)
			texts = append(texts, "/"+info.Name()+":"+string(text))
		}
	}
	return texts
}

// Two contents that are discarded within one second are both kept.
func TestDiscardTwiceInASecond(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	opts := &Options{}
	opts.Cache.Now = func() time.Time { return now }
	r := newRig(t, opts)
	r.serve("a")
	for _, text := range []string{"first", "second", "third"} {
		r.write("a:" + text)
		require.NoError(t, r.fs.Discard("a"))
	}
	require.ElementsMatch(t, []string{"first", "second", "third"}, r.discarded())
}

// A process that dies in a Discard leaves it to the next one, which does not put anything over what the user has put there
// since.
func TestDiscardRedoneOverTheUsers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ from, to, hand string }{
		{"a", "n", "a:mine"}, {"d", "n", "d:mine"}, {"d", "n", "d/x:mine"},
	} {
		for _, made := range []faultfs.Effect{faultfs.Nothing, faultfs.Whole} {
			for index, met := 0, true; met; index++ {
				r := newRig(t, nil)
				r.serve("a", "d/x")
				r.fetch("a", "d/x")
				require.NoError(t, r.fs.Rename(c.from, c.to))
				require.NoError(t, r.fs.Close())
				local, plan := r.local, new(faultfs.Plan)
				s, err := New(r.remote, faultfs.New(local, plan), nil)
				require.NoError(t, err)
				plan.Inject(faultfs.Fault{Index: plan.Total() + index, Sticky: true, Effect: made})
				discardErr := s.Discard()
				met = len(plan.Fired()) > 0
				_ = s.Close()
				plan.Heal()
				free := true
				for _, name := range []string{"a", "d"} {
					if name == c.from {
						_, err := local.Stat(name)
						free = err != nil
					}
				}
				if free {
					r.place(c.hand)
				}
				r.start()
				if discardErr != nil {
					require.NoError(t, r.fs.Discard())
				}
				r.queued()
				name := c.from
				if c.hand == "d/x:mine" {
					name = "d/x"
				}
				want := "mine"
				if !free {
					want = map[string]string{"a": "a", "d": "", "d/x": "d/x"}[name]
				}
				if text, err := afero.ReadFile(r.local, name); err == nil {
					require.Equal(t, want, string(text))
					r.reads(name, want)
				} else {
					require.False(t, free, "%v", err)
					if name != "d" {
						require.ErrorIs(t, err, fs.ErrNotExist)
					}
				}
			}
		}
	}
}
