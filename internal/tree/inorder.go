package tree

import (
	"cmp"
	"slices"
)

// InOrder sorts the steps of a plan by the time at which their nodes were first changed. The Deps of a step still come
// before it. Steps that only serve others come right before those or, if they serve none, at the end; late steps come
// last.
func InOrder(steps []Step) []Step {
	order := make([]int, len(steps))
	for i := range order {
		order[i] = i
	}
	class := func(s Step) int {
		switch {
		case s.Late:
			return 2
		case s.Aux:
			return 1
		}
		return 0
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if c := cmp.Compare(class(steps[a]), class(steps[b])); c != 0 || steps[a].Late {
			return c // late steps depend on their order
		}
		return cmp.Compare(steps[a].Node.Diff.seq(), steps[b].Node.Diff.seq())
	})
	sorted := make([]Step, 0, len(steps))
	at := make([]int, len(steps)) // by the index in steps, one more than that in sorted
	var add func(i int)
	add = func(i int) {
		if at[i] > 0 {
			return
		}
		step := steps[i]
		step.Deps = slices.Clone(step.Deps)
		for k, d := range step.Deps {
			add(d)
			step.Deps[k] = at[d] - 1
		}
		slices.Sort(step.Deps)
		sorted = append(sorted, step)
		at[i] = len(sorted)
	}
	for _, i := range order {
		add(i)
	}
	return sorted
}
