package syncfs

import (
	"fmt"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/cachefs"
)

// With ListTTL one listing of a directory serves many files that are made in it. What others have made there since is
// not overwritten.
func TestOneListServesManyCreates(t *testing.T) {
	t.Parallel()
	r := newRig(t, &Options{Cache: cachefs.Options{ListTTL: time.Hour}})
	r.serve("d/theirs")
	require.NoError(t, second(afero.ReadDir(r.fs, "d")))
	asked := r.plan.Total()
	for i := range 100 {
		r.write(fmt.Sprint("d/", i))
	}
	require.NoError(t, r.fs.MkdirAll("d/deep/er", 0o755))
	require.Equal(t, asked, r.plan.Total())
	r.serve("d/7:made by another client")
	r.fails(ErrConflict)
	r.queued("put d/7")
	require.NoError(t, r.fs.Discard("d/7"))
	r.reads("d/7", "made by another client")
	require.NoError(t, r.fs.Invalidate("/"))
	r.pushes()
}
