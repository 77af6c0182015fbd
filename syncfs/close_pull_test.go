package syncfs

import (
	"fmt"
	"io/fs"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// Close during a Pull, at any request: the next Fs on the same directory pulls the rest.
func TestCloseDuringPull(t *testing.T) {
	t.Parallel()
	for at, during := int64(1), true; during; at += 3 {
		r := newRig(t, &Options{Cache: cachefs.Options{Parallel: 3}})
		for i := range 20 {
			r.serve(fmt.Sprintf("d%d/f%d:%s", i%3, i, strings.Repeat("x", i*1000)))
		}
		var asked atomic.Int64
		closed := make(chan error, 1)
		r.plan.Before(func(faultfs.Op) error {
			if asked.Add(1) == at {
				go func() { closed <- r.fs.Close() }()
			}
			return nil
		})
		err := second(r.fs.Pull(t.Context(), "/"))
		r.plan.Heal()
		if during = asked.Load() >= at; !during {
			require.NoError(t, err)
			return
		}
		require.NoError(t, <-closed)
		if err != nil {
			require.ErrorIs(t, err, fs.ErrClosed)
		}
		r.start()
		require.NoError(t, r.fs.Damage())
		require.NoError(t, second(r.fs.Pull(t.Context(), "/")))
		require.Empty(t, aferotest.Diff(r.served(), r.view()))
	}
}
