package syncfs

import (
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
)

// BenchmarkPushMemory measures the memory that a Push of 50,000 changes needs for each of them; with 200,000 it was the same.
// live-B is what lives at the most while it makes the changes, more than before. plan-B is all that planning allocates, of
// which a part is garbage by then.
func BenchmarkPushMemory(b *testing.B) {
	for name, queue := range map[string]func(*Fs, string) error{
		"put":    func(s *Fs, name string) error { return afero.WriteFile(s, name, []byte("x"), 0o644) },
		"remove": func(s *Fs, name string) error { return s.Remove(name) },
		"rename": func(s *Fs, name string) error { return s.Rename(name, name+"-renamed") },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				pushMemory(b, 50_000, queue, name != "put")
			}
		})
	}
}

func pushMemory(b *testing.B, files int, queue func(*Fs, string) error, exist bool) {
	remote, plan := aferotest.OS(b.TempDir()), new(faultfs.Plan)
	s := newFs(b, faultfs.New(remote, plan), realDir(b), nil)
	var names []string
	for i := range files {
		dir := fmt.Sprint("dir-", i%200)
		names = append(names, fmt.Sprintf("%s/file-%06d", dir, i))
		if i < 200 {
			require.NoError(b, remote.Mkdir(dir, 0o755))
		}
		if exist {
			require.NoError(b, afero.WriteFile(remote, names[i], nil, 0o644))
		}
	}
	for _, name := range names {
		require.NoError(b, queue(s, name))
	}
	before := allocated()
	require.NoError(b, s.m.Do(func(v *mirror.View) error {
		was := total()
		s.plan(v)
		b.ReportMetric(float64(total()-was)/float64(files), "plan-B/change")
		return nil
	}))

	// All operations of the remote stop while the memory is measured.
	var one sync.Mutex
	changed, most := 0, int64(0)
	plan.After(func(op faultfs.Op, err error) error {
		one.Lock()
		defer one.Unlock()
		if op.Kind == faultfs.Rename || op.Kind == faultfs.Remove {
			if changed++; changed%(files/4) == 0 {
				most = max(most, allocated()-before)
			}
		}
		return err
	})
	report, err := s.Push(b.Context())
	require.NoError(b, err)
	require.Len(b, report.Results, files)
	require.Equal(b, files, changed)
	b.ReportMetric(float64(most)/float64(files), "live-B/change")
	b.ReportMetric(float64(before)/float64(files), "queue-B/change")
}

// allocated returns the bytes of the objects that live.
func allocated() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// total returns the bytes of all objects that were ever allocated.
func total() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.TotalAlloc)
}
