//go:build unix && !linux

package opensshtest

import (
	"fmt"
	"os/exec"
	"strings"
)

// processInfo is one process of the system.
type processInfo struct {
	state  string // "T": stopped; "Z": ended, but not waited for
	parent int
}

func listProcesses() (map[int]processInfo, error) {
	out, err := exec.Command("ps", "-A", "-o", "pid=,ppid=,state=").Output()
	if err != nil {
		return nil, err
	}
	processes := make(map[int]processInfo)
	for line := range strings.Lines(string(out)) {
		var pid int
		var p processInfo
		if _, err := fmt.Sscan(line, &pid, &p.parent, &p.state); err != nil {
			return nil, fmt.Errorf("unexpected line of ps %q: %w", line, err)
		}
		p.state = p.state[:1] // flags may follow
		processes[pid] = p
	}
	return processes, nil
}
