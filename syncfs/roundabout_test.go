package syncfs

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// A log of others may say that a directory was in itself, or is to be moved there: it is not.
func TestNothingIsPutIntoItself(t *testing.T) {
	t.Parallel()
	for _, discard := range []bool{true, false} {
		r := newRig(t, nil)
		r.serve("a/b/f:F")
		r.fetch("a/b/f")
		require.NoError(t, r.fs.Rename("a", "c"))
		require.NoError(t, r.fs.m.Do(func(v *mirror.View) error {
			n := v.Tree().Lookup("c")
			in := n.Kid("b")
			d := v.Tree().Note(n, v.Now())
			if discard {
				d.Home = &tree.Home{Dir: in.ID, Name: "x"}
			} else {
				d.Intent = &tree.Intent{Kind: tree.Move, From: "a", To: "a/b/c", Dir: in.ID, Meta: n.Meta}
				settle(v, n, d.Intent, done, n.Meta)
			}
			v.Tree().Touch(n)
			require.False(t, n.HasBase() && tree.Within(n.RemotePath(), "a/b"))
			return nil
		}))
		require.NoError(t, r.fs.Discard())
		r.has(r.view(), "a/", "a/b/", "a/b/f:F")
	}
}
