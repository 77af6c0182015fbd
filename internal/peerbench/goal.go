package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// us is the name of the tool that the goals are about.
const us = "syncfs"

// goal is an upper bound of our time divided by a peer's.
type goal struct {
	workload, peer string
	roundTrip      time.Duration
	ratio          float64
	below          bool // the ratio itself does not reach the goal
}

func (g goal) reached(ratio float64) bool {
	if g.below {
		return ratio < g.ratio
	}
	return ratio <= g.ratio
}

// wireShare is the share of a limited bandwidth that a transfer must use.
const wireShare = 0.95

var roundTrips = []time.Duration{0, 20 * time.Millisecond, 100 * time.Millisecond}

// goals returns the goals of the project, for wires without a bandwidth limit.
func goals() []goal {
	var all []goal
	add := func(workload, peer string, ratios ...float64) {
		for k, ratio := range ratios {
			all = append(all, goal{workload: workload, peer: peer, roundTrip: roundTrips[k], ratio: ratio})
		}
	}
	add("down", "sftp", 1, 0.4, 0.2)
	add("up", "sftp", 1, 0.45, 0.25)
	add("small-up", "rsync", 0.7, 1, 0.9)
	add("small-up", "ssh", 0.9, 1, 1)
	add("small-down", "rsync", 0.7, 1, 0.9)
	add("small-down", "ssh", 0.9, 1, 1)
	add("walk", "rsync", 1, 0.9, 0.6)
	for _, load := range fullScale.workloads() {
		for _, peer := range []string{"rclone", "lftp", "sshfs"} {
			for _, roundTrip := range roundTrips {
				all = append(all, goal{load.name, peer, roundTrip, 1, true})
			}
		}
	}
	return all
}

// goalTable returns a Markdown table of the goals for which there are results, with missed goals in bold.
func (b *bench) goalTable() string {
	var text strings.Builder
	text.WriteString("| our time / theirs | peer | wire | goal | is |\n|---|---|---|--:|--:|\n")
	rows := 0
	row := func(title, peer string, w wire, sign string, goal, is float64, reached bool) {
		mark := ""
		if !reached {
			mark = "**"
		}
		fmt.Fprintf(&text, "| %s | %s | %s | %s %g | %s%.2f%s |\n", title, peer, w, sign, goal, mark, is, mark)
		rows++
	}
	for _, g := range goals() {
		w := wire{roundTrip: g.roundTrip}
		k := slices.IndexFunc(b.workloads, func(load workload) bool { return load.name == g.workload })
		if k < 0 {
			continue
		}
		ratio, ok := b.results.ratio(w, g.workload, us, g.peer)
		if !ok {
			continue
		}
		sign := "<="
		if g.below {
			sign = "<"
		}
		row(b.workloads[k].title, g.peer, w, sign, g.ratio, ratio, g.reached(ratio))
	}
	for _, w := range b.wires {
		for _, load := range b.workloads {
			o := b.results[cell{w, load.name, us}]
			if w.bandwidth == 0 || !load.item.isFile() || load.task != pull && load.task != push || !o.usable() {
				continue
			}
			share := float64(load.item.bytes()) / float64(w.bandwidth) / o.median()
			row(load.title+", share of the bandwidth", "-", w, ">=", wireShare, share, share >= wireShare)
		}
	}
	if rows == 0 {
		return ""
	}
	return text.String()
}
