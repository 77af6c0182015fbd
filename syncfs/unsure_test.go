package syncfs

import (
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

// A version that was modified within two seconds of when it was seen may be followed by one of the same size and mtime,
// on a server that has whole seconds. That is not overwritten or removed unseen, and no conflict is seen where there
// is none.
func TestForeignChangeWithinTheSameSecond(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(r *rig) error{
		"written":   func(r *rig) error { r.append("f", "+"); return nil },
		"truncated": func(r *rig) error { return afero.WriteFile(r.fs, "f", []byte("ours"), 0o644) },
		"added": func(r *rig) error {
			r.place("f:added")
			return r.fs.Add("f")
		},
		"edited by hand": func(r *rig) error {
			r.place("f:by hand")
			if err := second(r.fs.Stat("f")); err != nil {
				return err
			}
			return r.fs.AddDir("/", nil)
		},
		"removed": func(r *rig) error { return r.fs.Remove("f") },
	} {
		for _, foreign := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, nil)
				r.serve("f:first")
				now := time.Now().Truncate(time.Second)
				require.NoError(t, r.remote.Chtimes("f", now, now))
				r.fetch("f")
				require.NoError(t, change(r))
				if foreign {
					r.serve("f:other")
					require.NoError(t, r.remote.Chtimes("f", now, now))
				}
				r.restart()
				if !foreign {
					r.pushes()
					return
				}
				r.fails(ErrConflict)
				r.has(r.served(), "f:other")
				_, err := r.fs.PushWith(t.Context(), Overwrite)
				require.NoError(t, err)
			})
		}
	}
}
