package syncfs

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// What is no file, and has the name of an upload that may still begin, is somebody else's.
func TestDirectoryInPlaceOfAnUpload(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	name := ".syncfs-0123456789abcdef.part"
	require.NoError(t, r.fs.m.Do(func(v *mirror.View) error {
		v.Tree().Guard(tree.Guard{Intent: tree.Intent{Kind: tree.Upload, From: name}, Kind: tree.File, Since: v.Now()})
		return nil
	}))
	require.NoError(t, r.remote.MkdirAll(name+"/d", 0o755))
	_, err := r.push()
	require.NoError(t, err)
	_, err = r.remote.Stat(name + "/d")
	require.NoError(t, err)
}
