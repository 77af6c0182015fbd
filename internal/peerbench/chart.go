package main

// chart is a list of panels that are drawn side by side.
type chart []panel

// panel shows one workload.
type panel struct {
	title  string
	series []series
}

// series shows one tool.
type series struct {
	name   string
	points []point
}

// point is a median.
type point struct {
	millis  float64 // round trip
	seconds float64
}

// chart returns the medians by round-trip time, for the wires without a bandwidth limit.
func (b *bench) chart() chart {
	var c chart
	for _, load := range b.workloads {
		if !load.charted {
			continue
		}
		p := panel{title: load.title}
		for _, t := range b.tools {
			s := series{name: t.title}
			for _, w := range b.wires {
				if o := b.results[cell{w, load.name, t.name}]; w.bandwidth == 0 && o.usable() {
					s.points = append(s.points, point{w.millis(), o.median()})
				}
			}
			if len(s.points) > 0 {
				p.series = append(p.series, s)
			}
		}
		if len(p.series) > 0 {
			c = append(c, p)
		}
	}
	return c
}
