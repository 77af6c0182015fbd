package statelog

import (
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

// TestAppendSurvivesDeath never closes or syncs.
func TestAppendSurvivesDeath(t *testing.T) {
	t.Parallel()
	d := realDir(t)
	l, _, _ := reopen(t, d)
	records := numbered(10)
	for i, r := range records {
		appendAll(t, l, r)
		require.EqualValues(t, len(encode(records[:i+1]...)), l.Size())
	}
	drop(l)
	require.Equal(t, records, contents(t, d))
}

func TestTooLong(t *testing.T) {
	t.Parallel()
	d := realDir(t)
	l, _, _ := reopen(t, d)
	appendAll(t, l, "before")
	long := make([]byte, MaxRecord+1)
	require.ErrorIs(t, l.Append(long), ErrTooLong)
	require.ErrorIs(t, l.Append(long), fs.ErrInvalid)
	require.ErrorIs(t, l.Rewrite(l.Size(), func(yield func([]byte) bool) { yield(long) }), ErrTooLong)
	require.NoError(t, l.Append(long[:MaxRecord]))
	appendAll(t, l, "after")
	require.NoError(t, l.Close())
	got := contents(t, d)
	require.Len(t, got, 3)
	require.Equal(t, "before", got[0])
	require.Len(t, got[1], MaxRecord)
	require.Equal(t, "after", got[2])
}

func TestClosedLog(t *testing.T) {
	t.Parallel()
	l, _, _ := reopen(t, memoryDir(t))
	require.NoError(t, l.Close())
	require.ErrorIs(t, l.Append(nil), fs.ErrClosed)
	require.ErrorIs(t, l.Sync(), fs.ErrClosed)
	require.ErrorIs(t, l.Rewrite(l.Size(), values(nil)), fs.ErrClosed)
	require.ErrorIs(t, l.Close(), fs.ErrClosed)
}

// TestFailedAppend lets a write fail half way, as on a full disk, and then succeed.
func TestFailedAppend(t *testing.T) {
	t.Parallel()
	fsys := &faultyFs{Fs: afero.NewMemMapFs()}
	d := openDir(t, fsys)
	l, _, _ := reopen(t, d)
	appendAll(t, l, "one", "two")
	fsys.set(failing("write"))
	require.ErrorIs(t, l.Append([]byte("lost")), errInjected)
	require.ErrorIs(t, l.Append([]byte("lost too")), errInjected)
	require.Equal(t, encode("one", "two"), get(t, d, logName))
	fsys.set(nil)
	appendAll(t, l, "three")
	require.NoError(t, l.Sync())
	require.NoError(t, l.Close())
	require.Equal(t, []string{"one", "two", "three"}, contents(t, d))
}

func failing(ops ...string) func(string) error {
	return func(op string) error {
		for _, o := range ops {
			if o == op {
				return fmt.Errorf("%w: %s", errInjected, op)
			}
		}
		return nil
	}
}

// TestBroken checks that after what can't be undone every call says so, with the first cause.
func TestBroken(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		faults []string
		call   func(*Log) error
		want   []string // what the log must hold; "?" may be missing
	}{
		{"write and cut", []string{"write", "truncate"}, func(l *Log) error { return l.Append([]byte("?")) }, []string{"one", "?"}},
		{"sync", []string{"sync"}, (*Log).Sync, []string{"one"}},
		{"rename not durable", []string{"syncdir"}, func(l *Log) error { return l.Rewrite(l.Size(), values([]string{"new"})) }, []string{"new"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			fsys := &faultyFs{Fs: afero.NewMemMapFs()}
			d := openDir(t, fsys)
			l, _, _ := reopen(t, d)
			appendAll(t, l, "one")
			fsys.set(failing(tt.faults...))
			first := tt.call(l)
			require.ErrorIs(t, first, errInjected)
			fsys.set(nil)
			for _, err := range []error{l.Append([]byte("x")), l.Sync(), l.Rewrite(l.Size(), values(nil)), l.Close()} {
				require.Equal(t, first, err)
			}
			require.ErrorIs(t, l.Close(), fs.ErrClosed)
			got := contents(t, d)
			if len(got) < len(tt.want) {
				got = append(got, "?")
			}
			require.Equal(t, tt.want, got)
		})
	}
}

// TestConcurrentAppends checks that the records are in the file in an order in which the calls can have returned.
func TestConcurrentAppends(t *testing.T) {
	t.Parallel()
	d := realDir(t)
	l, _, _ := reopen(t, d)
	const workers, each = 8, 50
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				if err := l.Append(fmt.Appendf(nil, "%d %d %s", w, i, strings.Repeat("x", i))); err != nil {
					t.Error(err)
				}
				if i%10 == 0 {
					if err := l.Sync(); err != nil {
						t.Error(err)
					}
				}
				l.Size()
			}
		})
	}
	wg.Wait()
	require.NoError(t, l.Close())
	var next [workers]int
	records := contents(t, d)
	require.Len(t, records, workers*each)
	for _, r := range records {
		var w, i int
		_, err := fmt.Sscan(r, &w, &i)
		require.NoError(t, err)
		require.Equal(t, next[w], i)
		next[w]++
	}
}

// TestGroupCommit holds one sync back while others are asked for: all of those share the next.
func TestGroupCommit(t *testing.T) {
	t.Parallel()
	fsys := &faultyFs{Fs: afero.NewMemMapFs()}
	l, _, _ := reopen(t, openDir(t, fsys))
	running, release := make(chan struct{}), make(chan struct{})
	var syncs int // guarded by the log: one sync at a time
	fsys.set(func(op string) error {
		if op == "sync" {
			if syncs++; syncs == 1 {
				close(running)
				<-release
			}
		}
		return nil
	})
	appendAll(t, l, "first")
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := l.Sync(); err != nil {
			t.Error(err)
		}
	})
	<-running
	appendAll(t, l, "while the sync is running") // appends do not wait for it
	for range 10 {
		wg.Go(func() {
			if err := l.Sync(); err != nil {
				t.Error(err)
			}
		})
	}
	close(release)
	wg.Wait()
	require.Equal(t, 2, syncs)
	require.NoError(t, l.Sync())
	require.Equal(t, 2, syncs, "nothing new to sync")
	appendAll(t, l, "one", "two")
	before, _, err := l.state()
	require.NoError(t, err)
	require.NoError(t, l.Sync())
	require.Equal(t, 3, syncs)
	appendAll(t, l, "three")
	require.NoError(t, l.syncTo(before))
	require.Equal(t, 3, syncs, "who is covered does not sync for others")

	require.NoError(t, l.Rewrite(l.Size(), values(nil)))
	require.Equal(t, 4, syncs)
	require.NoError(t, l.Sync())
	require.Equal(t, 4, syncs, "a rewrite is synced")
	appendAll(t, l, "more")
	require.NoError(t, l.Close())
	require.Equal(t, 5, syncs)
}

// TestSyncOfWhatOpenFound checks that records of a process that died before it synced them are synced when asked.
func TestSyncOfWhatOpenFound(t *testing.T) {
	t.Parallel()
	fsys := &faultyFs{Fs: afero.NewMemMapFs()}
	d := openDir(t, fsys)
	put(t, d, logName, encode("one"))
	l, _, _ := reopen(t, d)
	syncs := 0
	fsys.set(func(op string) error {
		if op == "sync" {
			syncs++
		}
		return nil
	})
	require.NoError(t, l.Sync())
	require.Equal(t, 1, syncs)
	require.NoError(t, l.Close())
	require.Equal(t, 1, syncs)
}
