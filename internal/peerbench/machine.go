package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

// about returns a text on when and on which machine the figures were made, and on how to read them.
func (b *bench) about(ctx context.Context, now time.Time) string {
	var text strings.Builder
	if b.quick {
		text.WriteString("A quick run: its figures mean nothing.\n\n")
	}
	fmt.Fprintf(&text, "Measured on %s: %s.\n", now.Format("2006-01-02"), machineText())
	fmt.Fprintf(&text, "Versions: %s.\n", strings.Join(b.versions(ctx), ", "))
	fmt.Fprintf(&text, `
Seconds, the median of %s, and in parentheses our time divided by theirs: below 1, we are faster. Each run is a whole
process that begins with nothing and has to connect, but where it says "connected before". The tools took turns with an
OpenSSH server on the same machine with its stock limits, over a simulated link (at 0 ms, loopback itself), with all files
in %s. Everything that was copied, listed or read was compared with what it should be, to the last byte. Peers have
the fastest settings known to us (see internal/peerbench). A run that took more than %g s was ended.
`, runsText(b.runs), b.place, b.limit.Seconds())
	if most, title := b.peakMemory(); most > 0 {
		fmt.Fprintf(&text, "The most memory %s took was %d MB (%s).\n", usTitle, most/1e6, title)
	}
	return text.String()
}

func runsText(n int) string {
	if n == 1 {
		return "one run"
	}
	return fmt.Sprintf("%d runs", n)
}

// peakMemory returns our peak memory of all runs, and in which run it occurred.
func (b *bench) peakMemory() (int64, string) {
	var most int64
	var title string
	for _, load := range b.workloads {
		for _, w := range b.wires {
			if m := b.results[cell{w, load.name, us}].memory; m > most {
				most, title = m, load.title+", "+w.String()
			}
		}
	}
	return most, title
}

func machineText() string {
	cpu, _ := os.ReadFile("/proc/cpuinfo")
	memory, _ := os.ReadFile("/proc/meminfo")
	release, _ := os.ReadFile("/etc/os-release")
	return describeMachine(runtime.NumCPU(), string(cpu), string(memory), string(release))
}

// describeMachine describes a machine by what Linux reports. It leaves out what is missing.
func describeMachine(cpus int, cpuinfo, meminfo, osRelease string) string {
	parts := []string{fmt.Sprintf("%d CPUs", cpus)}
	if model := valueOf(cpuinfo, "model name", ":"); model != "" {
		parts[0] += " (" + model + ")"
	}
	var kibibytes int64
	if n, _ := fmt.Sscanf(valueOf(meminfo, "MemTotal", ":"), "%d kB", &kibibytes); n == 1 {
		parts = append(parts, fmt.Sprintf("%.0f GiB of memory", float64(kibibytes)*kib/gib))
	}
	if name := strings.Trim(valueOf(osRelease, "PRETTY_NAME", "="), `"`); name != "" {
		parts = append(parts, name)
	}
	return strings.Join(parts, ", ")
}

// valueOf finds the value of a key in lines of "key separator value".
func valueOf(text, key, separator string) string {
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(line, separator); ok && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// versions returns the versions that the tools report.
func (b *bench) versions(ctx context.Context) []string {
	versions := []string{runtime.Version()}
	for _, t := range b.tools {
		if t.version == nil {
			continue
		}
		// The exit status does not matter: only the output counts.
		output, _ := exec.CommandContext(ctx, t.version[0], t.version[1:]...).CombinedOutput()
		versions = append(versions, findVersion(string(output), t.version[0]))
	}
	return versions
}

// findVersion returns the name and the version from the first line about the program, without the rest of the line: for
// "rsync  version 3.2.7  protocol version 31" it returns "rsync 3.2.7".
func findVersion(output, program string) string {
	for line := range strings.Lines(output) {
		if !strings.Contains(strings.ToLower(line), program) {
			continue
		}
		words := strings.Fields(strings.NewReplacer("|", " ", ",", " ").Replace(line))
		words = slices.DeleteFunc(words, func(word string) bool { return strings.EqualFold(word, "version") })
		for k, word := range words {
			if strings.ContainsAny(word, "0123456789") {
				return strings.Join(words[:k+1], " ")
			}
		}
	}
	return program + " of unknown version"
}
