package aferotest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// Run runs every case of the suite as a subtest, each on an Fs of its own. It logs one line that says how many have
// passed and which are not applicable.
func Run(t *testing.T, s Subject) {
	t.Helper()
	var n tally
	for _, cs := range Cases() {
		if missing, lacks := s.lacks(cs.Needs); lacks {
			n.notApplicable(missing)
			continue
		}
		t.Run(cs.Name, func(t *testing.T) {
			failures := cs.Check(s.New(t))
			n.ran(len(failures) == 0)
			for _, f := range failures {
				t.Error(f)
			}
		})
	}
	t.Log(n.summary(s.Incapable))
}

// tally counts the results of the cases.
type tally struct {
	passed, failed int
	missing        map[Capability]int
}

func (n *tally) ran(ok bool) {
	if ok {
		n.passed++
	} else {
		n.failed++
	}
}

func (n *tally) notApplicable(c Capability) {
	if n.missing == nil {
		n.missing = make(map[Capability]int)
	}
	n.missing[c]++
}

func (n *tally) summary(reasons map[Capability]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "aferotest: %d passed", n.passed)
	if n.failed > 0 {
		fmt.Fprintf(&b, ", %d failed", n.failed)
	}
	total, sep := 0, ": "
	var why strings.Builder
	for _, c := range slices.Sorted(maps.Keys(n.missing)) {
		total += n.missing[c]
		fmt.Fprintf(&why, "%s%d %s (%s)", sep, n.missing[c], c, reasons[c])
		sep = ", "
	}
	if total > 0 {
		fmt.Fprintf(&b, ", %d not applicable%s", total, why.String())
	}
	return b.String()
}
