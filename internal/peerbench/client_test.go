package main

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
)

// Every task of every file system, over a link, within this process.
func TestClients(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	require.NoError(t, err)
	b := benchWith(t, time.Minute)
	c := &connector{server: opensshtest.Start(t, opensshtest.Options{}), dir: b.dir, program: program}
	far, err := c.over(wire{roundTrip: time.Millisecond})
	require.NoError(t, err)
	defer func() { require.NoError(t, far.close()) }()

	ran := make(map[string]int)
	for _, load := range quickScale.workloads() {
		require.NoError(t, makeItem(b.dataDir(load.item), load.item))
		for _, tool := range tools() {
			p, able := tool.plan(job{task: load.task, item: load.item, host: host{program: program}})
			warmToo := load.name == "small-up" // which differs in connecting alone
			if !able || p.mount != nil || p.pipe[0][0] != program || tool.warm && !warmToo {
				continue
			}
			j, cleanUp, err := b.prepare(t.Context(), load, tool, far)
			require.NoError(t, err)
			p, _ = tool.plan(j)
			var output bytes.Buffer
			require.NoError(t, runClient(t.Context(), p.pipe[0][2:], &output), "%s: %s", load.name, tool)
			r, ok := findReport(output.String())
			require.True(t, ok)
			require.Positive(t, r.Seconds)
			require.NoError(t, b.check(tool, j, output.String(), r), "%s: %s", load.name, tool)
			ran[tool.name]++
			require.NoError(t, cleanUp())
		}
	}
	require.Equal(t, map[string]int{"syncfs": 11, "syncfs-warm": 1, "afero": 10, "os": 1}, ran)
}
