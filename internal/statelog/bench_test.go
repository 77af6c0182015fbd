package statelog

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{120, 4096} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			l, _, _ := reopen(b, realDir(b))
			payload := make([]byte, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if err := l.Append(payload); err != nil {
					b.Fatal(err)
				}
			}
			require.NoError(b, l.Close())
		})
	}
}

// BenchmarkAppendSync has many goroutines that each wait until their record is safe.
func BenchmarkAppendSync(b *testing.B) {
	l, _, _ := reopen(b, realDir(b))
	payload := make([]byte, 120)
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := l.Append(payload); err != nil {
				b.Error(err)
			}
			if err := l.Sync(); err != nil {
				b.Error(err)
			}
		}
	})
	require.NoError(b, l.Close())
}

// BenchmarkOpen reads a million records of 120 bytes.
func BenchmarkOpen(b *testing.B) {
	const records = 1_000_000
	d := realDir(b)
	l, _, _ := reopen(b, d)
	payload := make([]byte, 120)
	require.NoError(b, l.Rewrite(l.Size(), func(yield func([]byte) bool) {
		for range records {
			if !yield(payload) {
				return
			}
		}
	}))
	require.NoError(b, l.Close())
	b.SetBytes(l.Size())
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		l, _, err := Open(d, logName, func([]byte) error { n++; return nil })
		require.NoError(b, err)
		require.Equal(b, records, n)
		require.NoError(b, l.Close())
	}
}
