package main

import (
	"fmt"
	"strings"
)

// table returns a Markdown table of all medians: a row for each tool and workload, a column for each wire.
func (b *bench) table() string {
	var text strings.Builder
	text.WriteString("| | |")
	for _, w := range b.wires {
		fmt.Fprintf(&text, " %s |", w)
	}
	text.WriteString("\n|---|---|" + strings.Repeat("--:|", len(b.wires)) + "\n")
	for _, load := range b.workloads {
		title := load.title
		for _, t := range b.tools {
			if !b.tried(load, t) {
				continue
			}
			fmt.Fprintf(&text, "| %s | %s |", title, t.title)
			for _, w := range b.wires {
				fmt.Fprintf(&text, " %s |", b.cellText(w, load, t))
			}
			text.WriteString("\n")
			title = ""
		}
	}
	return text.String()
}

func (b *bench) tried(load workload, t tool) bool {
	for _, w := range b.wires {
		if _, ok := b.results[cell{w, load.name, t.name}]; ok {
			return true
		}
	}
	return false
}

// cellText returns the median, and the ratio of our time to it.
func (b *bench) cellText(w wire, load workload, t tool) string {
	o := b.results[cell{w, load.name, t.name}]
	switch {
	case o.failed:
		return "failed"
	case o.overLimit:
		return fmt.Sprintf("> %g", b.limit.Seconds())
	case !o.usable():
		return ""
	}
	text := secondsText(o.median())
	if t.name == us {
		return "**" + text + "**"
	}
	if ratio, ok := b.results.ratio(w, load.name, us, t.name); ok && !t.warm {
		text += fmt.Sprintf(" (%.2f)", ratio)
	}
	return text
}

// secondsText returns three digits, but at most three after the decimal point.
func secondsText(s float64) string {
	switch {
	case s < 1:
		return fmt.Sprintf("%.3f", s)
	case s < 10:
		return fmt.Sprintf("%.2f", s)
	case s < 100:
		return fmt.Sprintf("%.1f", s)
	default:
		return fmt.Sprintf("%.0f", s)
	}
}
