package syncfs

import (
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// A file without bytes of which a log says that it was made here is not pushed, whatever the user has in its place.
func TestPushOfNoBytes(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	require.NoError(t, r.fs.m.Do(func(v *mirror.View) error {
		v.Tree().Create(v.Tree().Root(), "f", tree.File, tree.Meta{Mode: 0o644}, tree.Absent, v.Now())
		return nil
	}))
	r.place("f")
	r.fails(fs.ErrNotExist)
	require.NoError(t, r.fs.Discard())
	r.has(r.served())
}
