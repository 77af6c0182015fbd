package sftpfs_test

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/link"
	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
)

// After WriteInOrder a large file is written through its own handle alone; otherwise through several, on channels of
// their own.
func TestWriteInOrder(t *testing.T) {
	t.Parallel()
	_, cfg := far(t, openSSHConfig(opensshtest.Start(t, opensshtest.Options{})), link.Options{RoundTrip: 50 * time.Millisecond})
	fsys := newFs(t, cfg)
	content := random(64 << 20)
	for _, ordered := range []bool{true, false} {
		f, err := fsys.Create("f")
		require.NoError(t, err)
		if ordered {
			f.(interface{ WriteInOrder() }).WriteInOrder()
		}
		_, err = f.(io.ReaderFrom).ReadFrom(bytes.NewReader(content))
		require.NoError(t, err)
		require.NoError(t, f.Close())
		c, err := fsys.Capabilities(t.Context())
		require.NoError(t, err)
		require.Equal(t, ordered, c.Channels == 1)
	}
}
