package faultfs

import (
	"fmt"
	"testing"
)

// mostIndexes bounds EachIndex: a scenario of so many operations is a loop.
const mostIndexes = 10_000

// EachIndex runs a scenario as subtests, each with a Plan that has one fault at
// index 0, 1, 2 and so on, until a run ends without meeting it; and all that for
// each of the faults, whose Index is not used. Without any they are: once and
// sticky, each without effect, with its whole effect, and with that of a part.
//
// The scenario wraps what it uses in New(..., p), does its work, and checks what
// must hold whether or not that failed, as a rule after p.Heal. It may have
// several Fs share the Plan. It is stopped at the first index that fails.
func EachIndex(t *testing.T, scenario func(t *testing.T, p *Plan), faults ...Fault) {
	t.Helper()
	if len(faults) == 0 {
		faults = []Fault{
			{}, {Effect: Whole}, {Effect: Part},
			{Sticky: true}, {Sticky: true, Effect: Whole}, {Sticky: true, Effect: Part},
		}
	}
	for _, fault := range faults {
		t.Run(fault.String(), func(t *testing.T) { eachIndex(t, scenario, fault) })
	}
}

func eachIndex(t *testing.T, scenario func(t *testing.T, p *Plan), fault Fault) {
	for index := range mostIndexes {
		p := new(Plan)
		fault.Index = index
		p.Inject(fault)
		ran := false // not if -run leaves this index out
		ok := t.Run(fmt.Sprint(index), func(t *testing.T) {
			ran = true
			defer func() {
				if t.Failed() {
					t.Logf("the fault hit %v", p.Fired())
				}
			}()
			scenario(t, p)
		})
		if !ran {
			continue
		}
		switch met := len(p.Fired()) > 0; {
		case !ok:
			return
		case !met && index == 0:
			t.Fatal("the scenario has no operations that could fail")
		case !met:
			return
		}
	}
	t.Fatalf("a scenario of more than %d operations", mostIndexes)
}
