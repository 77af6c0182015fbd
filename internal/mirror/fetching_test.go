package mirror

import (
	"bytes"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// large takes several reads to fetch.
var large = bytes.Repeat([]byte("0123456789abcdef"), 10_000)

// fetching is a remote with one file, and a mirror that fetches it.
type fetching struct {
	*testing.T
	remote, local afero.Fs
	m             *FS
}

func newFetching(t *testing.T, over func(afero.Fs) afero.Fs) *fetching {
	f := &fetching{T: t, remote: crashfs.New(nil), local: crashfs.New(nil)}
	require.NoError(t, afero.WriteFile(f.remote, "/file", large, 0o644))
	m, err := Open(over(f.remote), f.local, Options{})
	require.NoError(t, err)
	f.m = m
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return f
}

// has requires that the local file is one whole content, or that there is none.
func (f *fetching) has(contents ...[]byte) {
	f.Helper()
	left, err := afero.ReadDir(f.local, localdir.TmpDir)
	require.NoError(f, err)
	require.Empty(f, left, "a temporary file was left")
	got, err := afero.ReadFile(f.local, "/file")
	if len(contents) == 0 {
		require.Error(f, err, "%d bytes", len(got))
		return
	}
	require.NoError(f, err)
	for _, c := range contents {
		if bytes.Equal(c, got) {
			return
		}
	}
	f.Fatalf("the copy has %d bytes of none of the versions", len(got))
}

// How long something is waited for that happens beside the test, and how often it is looked at.
const (
	wait = 10 * time.Second
	tick = time.Millisecond
)
