//go:build unix

package limits

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/link"
	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

var scale = flag.Float64("scale", 0, "1: the limits as they are named; 0: a thousandth, with SYNCFS_FULL=1 a twentieth")

// limit is something that the library has to bear.
type limit struct {
	name string
	size int64 // at scale 1
	same bool  // at all scales

	serve   func(t *testing.T, root string, n int64) // makes what the server has
	use     func(c *client) error                    // is run by a process of its own
	require func(t *testing.T, root string, n int64) // checks what the server has afterwards
	cut     []link.Direction                         // the connections are cut several times in each of these directions
	endless bool                                     // the server is one that lists n entries without having them
}

// A process that a limit is given to tells each step that it has made. The figures of all are in the log of the test.
func TestLimits(t *testing.T) {
	if *scale == 0 {
		*scale = 0.001
		if os.Getenv("SYNCFS_FULL") == "1" {
			*scale = 0.05
		}
	}
	table := []string{"| limit | step | items | time | each | heap after it | most memory |", "|---|---|--:|--:|--:|--:|--:|"}
	for _, l := range limits {
		t.Run(l.name, func(t *testing.T) {
			n := l.size
			if !l.same {
				n = max(int64(float64(n)**scale), 1)
			}
			for _, s := range l.run(t, n) {
				each := time.Duration(0)
				if s.Items > 0 {
					each = s.Took / time.Duration(s.Items)
				}
				table = append(table, fmt.Sprintf("| %s | %s | %d | %v | %v | %d MiB | %d MiB |", l.name, s.Name, s.Items,
					s.Took.Round(time.Millisecond), each, s.Heap>>20, s.Peak>>20))
			}
		})
	}
	t.Logf("scale %v\n%s", *scale, strings.Join(table, "\n"))
}

func (l limit) run(t *testing.T, n int64) []step {
	set := l.start(t, n)
	set.Limit, set.Size, set.Local = l.name, n, t.TempDir()
	if l.serve != nil {
		l.serve(t, set.Root, n)
	}
	steps := start(t, set)
	if l.require != nil && !t.Failed() {
		l.require(t, set.Root, n)
	}
	return steps
}

// start starts the server, and returns what the process has to know about it.
func (l limit) start(t *testing.T, n int64) setting {
	if l.endless {
		s, err := sftptest.New(&sftptest.Options{Hooks: []sftptest.Hook{wide(n)}, Password: "secret"})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		known := filepath.Join(t.TempDir(), "known_hosts")
		require.NoError(t, os.WriteFile(known, []byte(s.KnownHosts()), 0o600))
		return setting{Addr: s.Addr(), Via: s.Addr(), User: "test", Password: "secret", KnownHosts: known, Root: "/"}
	}
	s := opensshtest.Start(t, opensshtest.Options{})
	line, err := link.New(s.Addr, link.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, line.Close()) })
	if l.cut != nil {
		t.Cleanup(cut(line, n, l.cut))
	}
	return setting{Addr: s.Addr, Via: line.Addr(), User: s.User, KeyFile: s.KeyFile, KnownHosts: s.KnownHosts, Root: s.Root}
}

// cut cuts all connections four times while n bytes go each way.
func cut(line *link.Link, n int64, directions []link.Direction) (end func()) {
	ended := make(chan struct{})
	var cutting sync.WaitGroup
	cutting.Go(func() {
		for _, d := range directions {
			for range 4 {
				c := line.CutAfter(d, n/5)
				select {
				case <-c.Came():
				case <-ended:
					c.Cancel()
					return
				}
			}
		}
	})
	return func() {
		close(ended)
		cutting.Wait()
	}
}

// start runs the process.
func start(t *testing.T, set setting) (steps []step) {
	text, err := json.Marshal(set)
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), clientEnv+"="+string(text))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s", out)
	for line := range strings.Lines(string(out)) {
		var s step
		require.NoError(t, json.Unmarshal([]byte(line), &s), "%s", line)
		steps = append(steps, s)
	}
	return steps
}
