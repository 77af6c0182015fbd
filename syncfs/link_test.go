package syncfs

import (
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/link"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// A link to an SFTP server that is cut delays a Push, which sends little of what has arrived again.
func TestPushOverALinkThatIsCut(t *testing.T) {
	t.Parallel()
	served := afero.NewMemMapFs()
	server, err := sftptest.New(&sftptest.Options{Fs: served})
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Close()) }()
	l, err := link.New(server.Addr(), link.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	config := server.Config()
	config.Addr = l.Addr()
	remote, err := sftpfs.New(config)
	require.NoError(t, err)
	defer func() { require.NoError(t, remote.Close()) }()

	s := newFs(t, remote, realDir(t), &Options{RetryFor: time.Minute})
	large := bulk(1, 16)
	require.NoError(t, afero.WriteFile(s, "large", []byte(large), 0o644))
	for _, name := range []string{"a", "b", "c"} {
		require.NoError(t, afero.WriteFile(s, name, []byte(name), 0o644))
	}
	cut := l.CutAfter(link.Up, 5*block)
	report, err := s.Push(t.Context())
	require.NoError(t, err)
	require.True(t, cut.Cancel())
	got, err := afero.ReadFile(served, "/large")
	require.NoError(t, err)
	require.True(t, large == string(got))
	sent := int64(0)
	for _, result := range report.Results {
		sent += result.Bytes + result.Resumed
		if result.Name == "large" {
			require.GreaterOrEqual(t, result.Resumed, int64(2*block))
		}
	}
	require.Equal(t, int64(16*block+3), sent)
}
