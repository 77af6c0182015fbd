package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// TestMain has the test's program be a client as well, for that is what the benchmark starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == clientWord {
		if err := runClient(context.Background(), os.Args[2:], os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// All of it at once, with few tools and tasks.
func TestQuickRun(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp) // the run sets it
	readme, chart := filepath.Join(temp, "README.md"), filepath.Join(temp, "c.svg")
	require.NoError(t, os.WriteFile(readme, []byte("before\n"+beginMark+"old\n"+endMark+"after\n"), 0o644))
	var stdout, stderr bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-quick", "-tools", "syncfs,syncfs-warm,ssh", "-wires", "0",
		"-workloads", "small-up", "-dir", temp, "-chart", chart, "-readme", readme}, &stdout, &stderr), "%s", &stderr)

	require.Contains(t, stdout.String(), "| 8 x 4 KiB up | go-syncfs | **")
	require.Contains(t, stdout.String(), "| 8 x 4 KiB up | ssh | 0 ms |", "a goal")
	text, err := os.ReadFile(readme)
	require.NoError(t, err)
	require.Contains(t, string(text), "before\n"+beginMark+"![Seconds over the round trip](c.svg)\n")
	require.Contains(t, string(text), endMark+"after\n")
	require.NotContains(t, string(text), "old")
	require.FileExists(t, chart)
	left, err := filepath.Glob(filepath.Join(temp, "peerbench-*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"x"}, {"-readme", "r"}, {"-runs", "-1"}, {"-limit", "-1s"}, {"-nosuch"}} {
		_, err := parseOptions(args, &bytes.Buffer{})
		require.Error(t, err, "%q", args)
	}
	for _, o := range []options{{wires: "x"}, {workloads: "x"}, {tools: "x"}, {dir: "/a b"}} {
		_, err := newBench(o.withDefaults(), &bytes.Buffer{})
		require.Error(t, err, "%+v", o)
	}
	o, err := parseOptions([]string{"-quick", "-runs", "3"}, &bytes.Buffer{})
	require.NoError(t, err)
	require.Equal(t, 3, o.runs)
	require.NotEqual(t, options{}.withDefaults().wires, o.wires)
}

func TestQuickHasEveryTask(t *testing.T) {
	t.Parallel()
	b, err := newBench(options{quick: true}.withDefaults(), &bytes.Buffer{})
	require.NoError(t, err)
	tasks := make(map[task]bool)
	for _, load := range b.workloads {
		tasks[load.task] = true
	}
	for _, load := range fullScale.workloads() {
		require.True(t, tasks[load.task], load.task)
	}
}
