package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// us is the name of the tool that goals are about.
const us = "syncfs"

// A goal is the most that our time may be of a peer's.
type goal struct {
	workload, peer string
	roundTrip      time.Duration
	ratio          float64
	below          bool // less than the ratio, which itself is too much
}

func (g goal) reached(ratio float64) bool {
	if g.below {
		return ratio < g.ratio
	}
	return ratio <= g.ratio
}

// wireShare is how much of a limited bandwidth a transfer has to use.
const wireShare = 0.95

var roundTrips = []time.Duration{0, 20 * time.Millisecond, 100 * time.Millisecond}

// goals are those of the project, for wires without a limit of bandwidth.
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

// goalTable is a Markdown table of the goals for which there are figures, the missed ones in bold.
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
