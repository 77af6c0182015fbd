package syncfs

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
)

// Stat of a copy, alone and while another goroutine writes and removes files, each of which has something synced. The local
// directory is where TMPDIR is: on a real disk an fsync takes milliseconds.
func BenchmarkStat(b *testing.B) {
	for _, writers := range []int{0, 1} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			s, err := New(aferotest.OS(b.TempDir()), afero.NewBasePathFs(afero.NewOsFs(), b.TempDir()), nil)
			require.NoError(b, err)
			defer func() { require.NoError(b, s.Close()) }()
			require.NoError(b, afero.WriteFile(s, "f", []byte("content"), 0o644))

			stop := make(chan struct{})
			var writing sync.WaitGroup
			for range writers {
				writing.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
							if afero.WriteFile(s, "w", []byte("content"), 0o644) != nil || s.Remove("w") != nil {
								panic("the writer fails")
							}
						}
					}
				})
			}
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				_, err := s.Stat("f")
				took = append(took, time.Since(began))
				require.NoError(b, err)
			}
			close(stop)
			writing.Wait()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2]), "median-ns")
			b.ReportMetric(float64(took[len(took)-1]), "worst-ns")
		})
	}
}
