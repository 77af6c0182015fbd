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

// about says when and on what the figures were made, and how they are to be read.
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

// peakMemory is the most that we took in any run, and where that was.
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

// describeMachine takes what Linux says of itself; what it does not say is left out.
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

// valueOf finds "key separator value" in lines of text.
func valueOf(text, key, separator string) string {
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(line, separator); ok && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// versions asks the tools for theirs.
func (b *bench) versions(ctx context.Context) []string {
	versions := []string{runtime.Version()}
	for _, t := range b.tools {
		if t.version == nil {
			continue
		}
		// Whatever it exits with: what counts is whether it tells.
		output, _ := exec.CommandContext(ctx, t.version[0], t.version[1:]...).CombinedOutput()
		versions = append(versions, findVersion(string(output), t.version[0]))
	}
	return versions
}

// findVersion returns the name and version in the first line about the program; what follows them is left out:
// "rsync  version 3.2.7  protocol version 31" is "rsync 3.2.7".
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
