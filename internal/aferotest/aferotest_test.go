package aferotest

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	flag.Parse()
	// Tests here have rapid fail on purpose, which must be quick and leave nothing.
	err := errors.Join(flag.Set("rapid.nofailfile", "true"), flag.Set("rapid.shrinktime", "0s"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// oracle is package os itself, which the suite must find right.
var oracle = Subject{New: func(t testing.TB) afero.Fs { return OS(t.TempDir()) }}

func TestOracle(t *testing.T) {
	t.Parallel()
	Run(t, oracle)
}

// TestOracleDifferential shows that what is compared is deterministic.
func TestOracleDifferential(t *testing.T) {
	t.Parallel()
	Differential(t, oracle)
}

func TestCasesHaveNamesOfTheirOwn(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, cs := range Cases() {
		require.False(t, seen[cs.Name], cs.Name)
		seen[cs.Name] = true
	}
	require.Greater(t, len(seen), 500)
}

func TestSummary(t *testing.T) {
	t.Parallel()
	var n tally
	n.ran(true)
	n.ran(true)
	require.Equal(t, "aferotest: 2 passed", n.summary(nil))
	n.ran(false)
	n.notApplicable(Links)
	n.notApplicable(Links)
	n.notApplicable(Chmod)
	require.Equal(t, "aferotest: 2 passed, 1 failed, 3 not applicable: 1 Chmod (no modes), 2 Links (no links)",
		n.summary(map[Capability]string{Links: "no links", Chmod: "no modes"}))
}
