package statelog

import (
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

func TestRewrite(t *testing.T) {
	t.Parallel()
	for _, d := range []*localdir.Dir{memoryDir(t), realDir(t)} {
		l, _, _ := reopen(t, d)
		appendAll(t, l, numbered(100)...)
		require.NoError(t, l.Rewrite(l.Size(), values([]string{"a", "", "c"})))
		require.EqualValues(t, len(encode("a", "", "c")), l.Size())
		appendAll(t, l, "d")
		require.NoError(t, l.Sync())
		require.Equal(t, encode("a", "", "c", "d"), get(t, d, logName))
		require.NoError(t, l.Rewrite(l.Size(), values(nil)))
		require.NoError(t, l.Close())
		require.Empty(t, contents(t, d))
		require.Equal(t, []string{"log"}, files(t, d))
	}
}

// TestRewriteKeepsWhatCameSince has records come, synced or not, between the state that is written and its writing, and
// while it is written.
func TestRewriteKeepsWhatCameSince(t *testing.T) {
	t.Parallel()
	for _, synced := range []int{0, 1, 2, 3} {
		d := realDir(t)
		l, _, _ := reopen(t, d)
		appendAll(t, l, numbered(100)...)
		end := l.Size()
		for i, record := range []string{"", "since 1", "since 2"} {
			if record != "" {
				appendAll(t, l, record)
			}
			if i == synced {
				require.NoError(t, l.Sync())
			}
		}
		require.NoError(t, l.Rewrite(end, func(yield func([]byte) bool) {
			appendAll(t, l, "meanwhile")
			yield([]byte("state"))
		}))
		want := []string{"state", "since 1", "since 2", "meanwhile"}
		require.EqualValues(t, len(encode(want...)), l.Size())
		appendAll(t, l, "after")
		require.NoError(t, l.Close())
		require.Equal(t, append(want, "after"), contents(t, d))
	}
}

// TestRewriteAtPowerLoss loses power before each operation: what was synced is there, under the old state or the new one.
func TestRewriteAtPowerLoss(t *testing.T) {
	t.Parallel()
	for i := 0; ; i++ {
		disk, plan := crashfs.New(nil), new(faultfs.Plan)
		l, _, _ := reopen(t, openDir(t, faultfs.New(disk, plan)))
		appendAll(t, l, "one")
		end := l.Size()
		appendAll(t, l, "two")
		require.NoError(t, l.Sync())
		appendAll(t, l, "not synced")
		var left afero.Fs
		first := plan.Total() + i
		plan.Before(func(op faultfs.Op) error {
			if op.Index == first {
				left = disk.Crash()
			}
			return nil
		})
		require.NoError(t, l.Rewrite(end, values([]string{"state"})))
		require.NoError(t, l.Close())
		if left == nil {
			require.Greater(t, i, 5)
			return
		}
		got := contents(t, openDir(t, left))
		require.Contains(t, []string{"one two", "state two"}, strings.TrimSuffix(strings.Join(got, " "), " not synced"), i)
	}
}

// TestFailedRewrite lets each step fail: the old log stays, in use and on disk.
func TestFailedRewrite(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"create", "write", "sync", "rename"} {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			fsys := &faultyFs{Fs: afero.NewMemMapFs()}
			d := openDir(t, fsys)
			l, _, _ := reopen(t, d)
			appendAll(t, l, "one")
			fsys.set(failing(op))
			require.ErrorIs(t, l.Rewrite(l.Size(), values([]string{"new"})), errInjected)
			fsys.set(nil)
			require.Equal(t, []string{"log"}, files(t, d))
			appendAll(t, l, "two")
			require.NoError(t, l.Sync())
			require.Equal(t, encode("one", "two"), get(t, d, logName))
			require.NoError(t, l.Rewrite(l.Size(), values([]string{"new"})))
			require.NoError(t, l.Close())
			require.Equal(t, []string{"new"}, contents(t, d))
		})
	}
}

// TestRewritePanics lets the producer panic.
func TestRewritePanics(t *testing.T) {
	t.Parallel()
	d := memoryDir(t)
	l, _, _ := reopen(t, d)
	appendAll(t, l, "one")
	require.Panics(t, func() { _ = l.Rewrite(l.Size(), func(func([]byte) bool) { panic("producer") }) })
	appendAll(t, l, "two")
	require.NoError(t, l.Close())
	require.Equal(t, []string{"one", "two"}, contents(t, d))
	require.Equal(t, []string{"log"}, files(t, d))
}

// TestLeftOverRewrite finds the file of a rewrite that was cut off.
func TestLeftOverRewrite(t *testing.T) {
	t.Parallel()
	d := memoryDir(t)
	put(t, d, logName, encode("one"))
	put(t, d, newName(logName), encode("half of")[:20])
	require.Equal(t, []string{"one"}, contents(t, d))
	require.Equal(t, []string{"log"}, files(t, d))
}
