package syncfs

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/link"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// BenchmarkSmallFiles pushes and pulls 2,000 files of 4 KiB in 20 directories over SFTP, connected, and says how many
// round trips that took. The server is in the process, and takes its share of the time.
func BenchmarkSmallFiles(b *testing.B) {
	const files, dirs = 2000, 20
	for _, roundTrip := range []time.Duration{0, 20 * time.Millisecond, 100 * time.Millisecond} {
		remote := linked(b, roundTrip)
		measure := func(b *testing.B, f func()) {
			start := time.Now()
			f()
			if roundTrip > 0 {
				b.ReportMetric(float64(time.Since(start))/float64(roundTrip), "round-trips")
			}
		}
		b.Run(fmt.Sprint("push/", roundTrip), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				s := newFs(b, remote, realDir(b), nil)
				for i := range dirs {
					require.NoError(b, s.m.Local().MkdirAll(fmt.Sprint("d", i), 0o755))
				}
				for j := range files {
					name := fmt.Sprintf("d%d/f%d-%d", j%dirs, i, j)
					f, err := s.m.Local().OpenFile(name, 0o102, 0o644)
					require.NoError(b, err)
					_, err = f.WriteAt(make([]byte, 4<<10), 0)
					require.NoError(b, err)
					require.NoError(b, f.Close())
				}
				require.NoError(b, s.AddDir("/", nil))
				b.StartTimer()
				measure(b, func() { require.NoError(b, second(s.Push(b.Context()))) })
			}
		})
		b.Run(fmt.Sprint("pull/", roundTrip), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				s := newFs(b, remote, realDir(b), nil)
				b.StartTimer()
				measure(b, func() { require.NoError(b, second(s.Pull(b.Context(), "/"))) })
			}
		})
	}
}

// linked is an SFTP server of its own behind a link.
func linked(b *testing.B, roundTrip time.Duration) *sftpfs.Fs {
	server, err := sftptest.New(&sftptest.Options{Fs: realDir(b)})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, server.Close()) })
	l, err := link.New(server.Addr(), link.Options{RoundTrip: roundTrip})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, l.Close()) })
	config := server.Config()
	config.Addr = l.Addr()
	remote, err := sftpfs.New(config)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, remote.Close()) })
	require.NoError(b, remote.Connect(b.Context()))
	return remote
}
