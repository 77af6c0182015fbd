package faultfs

import (
	"fmt"
	"testing"
)

// mostIndexes bounds EachIndex: a scenario of more operations is taken for an endless loop.
const mostIndexes = 10_000

// EachIndex runs a scenario as subtests, each with a Plan that has one fault at index 0, 1, 2 and so on, until a run
// ends without reaching it. It does this for each of the faults; it ignores their Index. The default faults are once
// and sticky, each with no effect, the whole effect, and a part of it.
//
// The scenario wraps its file systems in New(..., p), does its work, and checks the invariants, whether the work failed
// or not, usually after p.Heal. Several Fs may share the Plan. EachIndex stops at the first index that fails.
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
		ran := false // stays false if -run excludes this index
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
