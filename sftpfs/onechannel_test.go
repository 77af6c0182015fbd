package sftpfs_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/sftpsyncer/go-syncfs/internal/link"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// A server that ends a connection on which a second channel is opened does so once.
func TestOneChannel(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		character   sftptest.Character
		connections int // that are made, at most
	}{
		"rejected": {func(o *sftptest.Options) { o.MaxChannels = 1 }, 2},
		"dropped":  {sftptest.OneChannel(), 3},
		"dropped, one login": {func(o *sftptest.Options) {
			sftptest.OneChannel()(o)
			o.MaxLogins = 1
		}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			var asked counter
			server := sftptest.Start(t, asked.character(), c.character, serving(dir))
			_, cfg := far(t, server.Config(), link.Options{RoundTrip: 15 * time.Millisecond})
			fsys := newFs(t, cfg)
			content := random(16 << 20)
			putFile(t, dir, "f", string(content))
			f, err := fsys.Open("f") // large enough for several channels
			require.NoError(t, err)
			var got bytes.Buffer
			_, err = io.Copy(&got, f)
			require.NoError(t, err)
			require.NoError(t, f.Close())
			require.True(t, bytes.Equal(content, got.Bytes()))
			for range 2 {
				var many errgroup.Group
				for i := range 200 {
					many.Go(func() error {
						_, err := fsys.Stat(fmt.Sprint("missing", i))
						if !errors.Is(err, os.ErrNotExist) {
							return err
						}
						return nil
					})
				}
				require.NoError(t, many.Wait())
			}
			require.NoError(t, afero.WriteFile(fsys, "g", content[:1000], 0o600))
			require.LessOrEqual(t, asked.connections(), c.connections)
		})
	}
}
