package syncfs

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Directories that were only taken to be on the remote, and have changed places, are made there.
func TestSwapOfDirectoriesThatAreNotThere(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.place("a/", "b/")
	r.down()
	r.write("a/f:A", "b/g:B")
	r.up()
	for _, names := range [][2]string{{"a", "t"}, {"b", "a"}, {"t", "b"}} {
		require.NoError(t, r.fs.Rename(names[0], names[1]))
	}
	r.pushes()
	r.has(r.served(), "a/", "a/g:B", "b/", "b/f:A")
}
