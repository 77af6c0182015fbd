package main

import "slices"

// A cell is what one number of the table is about.
type cell struct {
	wire           wire
	workload, tool string // by their names
}

// An outcome is what came out of the runs of a cell.
type outcome struct {
	seconds   []float64 // of the runs that were right
	overLimit bool      // a run took longer than the limit, here or on a better wire
	failed    bool      // a run failed, or its result was wrong
	memory    int64     // the most that a run took; 0: not known
}

// usable says that there is a median that stands for all runs.
func (o outcome) usable() bool { return !o.failed && !o.overLimit && len(o.seconds) > 0 }

func (o outcome) median() float64 { return median(o.seconds) }

// results are all outcomes.
type results map[cell]outcome

func (r results) add(at cell, o outcome) {
	sum := r[at]
	sum.seconds = append(sum.seconds, o.seconds...)
	sum.overLimit = sum.overLimit || o.overLimit
	sum.failed = sum.failed || o.failed
	sum.memory = max(sum.memory, o.memory)
	r[at] = sum
}

// givenUp says that a cell needs no further run: it is known to be over the limit. What is over it on one wire is so on
// every worse one; that is noted then.
func (r results) givenUp(at cell) bool {
	for other, o := range r {
		if o.overLimit && other.workload == at.workload && other.tool == at.tool && !at.wire.betterThan(other.wire) {
			r.add(at, outcome{overLimit: true})
			return true
		}
	}
	return false
}

// ratio is the median of one tool over that of another; false: there is none.
func (r results) ratio(w wire, workload, tool, other string) (float64, bool) {
	a, b := r[cell{w, workload, tool}], r[cell{w, workload, other}]
	if !a.usable() || !b.usable() {
		return 0, false
	}
	return a.median() / b.median(), true
}

// median is the middle one of the numbers, or the mean of the two in the middle. There has to be one.
func median(numbers []float64) float64 {
	sorted := slices.Sorted(slices.Values(numbers))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
