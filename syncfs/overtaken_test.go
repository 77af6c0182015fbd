package syncfs

import (
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// Others remove the directory in which a step has just put something, and the program moves that elsewhere and sees that
// the directory is gone, before the step is recorded. What was put there is gone with the directory; the next push puts
// it where the program sees it.
func TestDirectoryIsGoneBeforeAStepIsRecorded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		copies []string
		change func(*rig)
		moved  string // what the step puts into d
		step   faultfs.Kind
		want   []string
	}{
		"mkdir": {nil, func(r *rig) { require.NoError(r, r.fs.Mkdir("d/e", 0o755)) },
			"e", faultfs.Mkdir, []string{"e/"}},
		"put": {nil, func(r *rig) { r.write("d/f:new") },
			"f", faultfs.Rename, []string{"f:new"}},
		"put into a directory that was only taken to be there": {nil, func(r *rig) { r.place("d/"); r.down(); r.write("d/f:new"); r.up() },
			"f", faultfs.Rename, []string{"f:new"}},
		"symlink": {nil, func(r *rig) { require.NoError(r, r.fs.SymlinkIfPossible("x", "d/l")) },
			"l", faultfs.Symlink, []string{"l@x"}},
		"rename of a copy": {[]string{"a"}, func(r *rig) { require.NoError(r, r.fs.Rename("a", "d/g")) },
			"g", faultfs.Rename, []string{"g:a"}},
		"rename of a directory": {[]string{"a/f"}, func(r *rig) { require.NoError(r, r.fs.Rename("a", "d/e")) },
			"e", faultfs.Rename, []string{"e/", "e/f:a/f"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.serve(append(c.copies, "d/")...)
			r.fetch(c.copies...)
			c.change(r)
			removed := false
			r.plan.After(func(op faultfs.Op, err error) error {
				if op.Kind == c.step && !removed {
					removed = true
					require.NoError(t, r.remote.RemoveAll("d"))
					require.NoError(t, r.fs.Rename("d/"+c.moved, c.moved))
					_, err := r.fs.Stat("d")
					require.ErrorIs(t, err, fs.ErrNotExist)
				}
				return err
			})
			_, _ = r.push()
			require.True(t, removed)
			r.restart()
			r.pushes()
			r.has(r.served(), c.want...)
		})
	}
}
