package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// filled is a bench with results of three tools for some workloads.
func filled() *bench {
	near, far, narrow := wire{}, wire{roundTrip: 20 * time.Millisecond}, wire{20 * time.Millisecond, 12e6}
	b := &bench{scale: fullScale, wires: []wire{near, far, narrow}, limit: time.Minute, results: results{}}
	for _, load := range fullScale.workloads() {
		if load.name == "down" || load.name == "walk" || load.name == "first" {
			b.workloads = append(b.workloads, load)
		}
	}
	for _, t := range tools() {
		if t.name == us || t.name == "syncfs-warm" || t.name == "sftp" || t.name == "rclone" {
			b.tools = append(b.tools, t)
		}
	}
	put := func(w wire, workload, tool string, seconds ...float64) {
		b.results.add(cell{w, workload, tool}, outcome{seconds: seconds, memory: int64(seconds[0] * 1e6)})
	}
	put(near, "down", us, 0.5, 0.4, 0.9)
	put(near, "down", "syncfs-warm", 0.3)
	put(near, "down", "sftp", 0.25, 0.25)
	put(near, "down", "rclone", 1)
	put(far, "down", us, 2)
	put(far, "down", "sftp", 8)
	b.results.add(cell{far, "down", "rclone"}, outcome{overLimit: true})
	put(narrow, "down", us, 23)
	b.results.add(cell{narrow, "down", "sftp"}, outcome{failed: true})
	put(near, "walk", us, 12.34)
	put(far, "walk", us, 123.4)
	return b
}

func TestTable(t *testing.T) {
	t.Parallel()
	require.Equal(t, `| | | 0 ms | 20 ms | 20 ms, 12 MB/s |
|---|---|--:|--:|--:|
| 256 MiB down | go-syncfs | **0.500** | **2.00** | **23.0** |
|  | go-syncfs, connected before | 0.300 |  |  |
|  | OpenSSH sftp | 0.250 (2.00) | 8.00 (0.25) | failed |
|  | rclone | 1.00 (0.50) | > 60 |  |
| walk of 10,000 files | go-syncfs | **12.3** | **123** |  |
`, filled().table())
}

func TestGoalTable(t *testing.T) {
	t.Parallel()
	require.Equal(t, `| our time / theirs | peer | wire | goal | is |
|---|---|---|--:|--:|
| 256 MiB down | sftp | 0 ms | <= 1 | **2.00** |
| 256 MiB down | sftp | 20 ms | <= 0.4 | 0.25 |
| 256 MiB down | rclone | 0 ms | < 1 | 0.50 |
| 256 MiB down, share of the bandwidth | - | 20 ms, 12 MB/s | >= 0.95 | 0.97 |
`, filled().goalTable())
	require.Empty(t, (&bench{}).goalTable())
}

func TestGoalReached(t *testing.T) {
	t.Parallel()
	require.True(t, goal{ratio: 1}.reached(1))
	require.False(t, goal{ratio: 1, below: true}.reached(1))
	require.True(t, goal{ratio: 1, below: true}.reached(0.99))
	require.False(t, goal{ratio: 0.4}.reached(0.41))
}

// A goal for a name that nobody has would always be kept.
func TestGoalsNameWhatExists(t *testing.T) {
	t.Parallel()
	for _, g := range goals() {
		_, err := pick(fullScale.workloads(), workload.String, g.workload)
		require.NoError(t, err)
		_, err = pick(tools(), tool.String, g.peer)
		require.NoError(t, err)
	}
	_, err := pick(tools(), tool.String, us)
	require.NoError(t, err)
}
