package localstore

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// Whatever is done, fails, is killed or loses power: no copy gets the bytes of another one.
func TestTheTreeAndTheDirectoryAgree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := newRig(t)
		free := rapid.SampledFrom([]string{"a", "b", "c", "d/a", "d/b"})
		made := false  // the directory d
		lossy := false // power was lost
		one := func(op func() error) {
			forGood := false
			if rapid.IntRange(0, 3).Draw(t, "faults") == 0 {
				forGood = rapid.Bool().Draw(t, "for good")
				r.plan.Inject(faultfs.Fault{Index: r.plan.Total() + rapid.IntRange(0, 12).Draw(t, "after"), Sticky: forGood})
			}
			err := op()
			r.plan.Heal()
			if err != nil {
				require.ErrorIs(t, err, faultfs.ErrInjected)
			}
			if forGood { // the log may be broken
				r.agrees(lossy)
				r.restart()
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"mkdir": func(t *rapid.T) {
				if made {
					t.Skip("it is there")
				}
				one(func() error { return r.mkdir("d") })
				made = r.s.tree.Lookup("d") != nil
			},
			"arrive": func(t *rapid.T) {
				name := free.Draw(t, "name")
				if dir, _ := r.at(name); dir == nil || r.s.tree.Lookup(name) != nil {
					t.Skip("no place")
				}
				one(func() error { return r.arrive(name) })
			},
			"move": func(t *rapid.T) {
				names := r.names()
				slices.Sort(names)
				if len(names) == 0 {
					t.Skip("nothing to move")
				}
				from, to := rapid.SampledFrom(names).Draw(t, "from"), free.Draw(t, "to")
				if dir, _ := r.at(to); dir == nil || from == to {
					t.Skip("no place")
				}
				one(func() error { return r.move(from, to) })
			},
			"remove": func(t *rapid.T) {
				names := r.names()
				slices.Sort(names)
				if len(names) == 0 {
					t.Skip("nothing to remove")
				}
				name := rapid.SampledFrom(names).Draw(t, "name")
				one(func() error { return r.remove(name) })
			},
			"sync": func(*rapid.T) { one(r.s.Sync) },
			"compact": func(t *rapid.T) {
				if len(r.s.owed) > 0 {
					t.Skip("compact does not")
				}
				one(r.s.rewriting())
			},
			"restart": func(*rapid.T) {
				r.restart()
				made = r.s.tree.Lookup("d") != nil
			},
			"close": func(*rapid.T) {
				err := r.s.Close() // an earlier fault may have broken the log
				require.NoError(t, r.local.Close())
				r.open()
				if err == nil {
					require.NoError(t, r.s.Damage())
				}
			},
			"power": func(t *rapid.T) {
				r.losePower(rapid.Uint64().Draw(t, "seed"))
				lossy = true
				made = r.s.tree.Lookup("d") != nil
			},
			"": func(*rapid.T) { r.agrees(lossy) },
		})
	})
}
