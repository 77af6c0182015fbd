package main

import "slices"

// cell identifies one number of the table.
type cell struct {
	wire           wire
	workload, tool string // names
}

// outcome is the result of the runs of a cell.
type outcome struct {
	seconds   []float64 // of the runs with a right result
	overLimit bool      // a run took longer than the limit, here or on a better wire
	failed    bool      // a run failed, or its result was wrong
	memory    int64     // peak memory of all runs in bytes; 0: unknown
}

// usable reports whether there is a median that represents all runs.
func (o outcome) usable() bool { return !o.failed && !o.overLimit && len(o.seconds) > 0 }

func (o outcome) median() float64 { return median(o.seconds) }

// results holds all outcomes.
type results map[cell]outcome

func (r results) add(at cell, o outcome) {
	sum := r[at]
	sum.seconds = append(sum.seconds, o.seconds...)
	sum.overLimit = sum.overLimit || o.overLimit
	sum.failed = sum.failed || o.failed
	sum.memory = max(sum.memory, o.memory)
	r[at] = sum
}

// givenUp reports whether a cell needs no further run, because it is known to be over the limit. A cell that is over
// the limit on one wire is so on every worse wire; givenUp records that.
func (r results) givenUp(at cell) bool {
	for other, o := range r {
		if o.overLimit && other.workload == at.workload && other.tool == at.tool && !at.wire.betterThan(other.wire) {
			r.add(at, outcome{overLimit: true})
			return true
		}
	}
	return false
}

// ratio returns the median of one tool divided by that of another; false if there is none.
func (r results) ratio(w wire, workload, tool, other string) (float64, bool) {
	a, b := r[cell{w, workload, tool}], r[cell{w, workload, other}]
	if !a.usable() || !b.usable() {
		return 0, false
	}
	return a.median() / b.median(), true
}

// median returns the middle number, or the mean of the two middle numbers. There must be at least one.
func median(numbers []float64) float64 {
	sorted := slices.Sorted(slices.Values(numbers))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
