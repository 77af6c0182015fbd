package opensshtest

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// processInfo is one process of the system.
type processInfo struct {
	state  string // "T": stopped; "Z": ended, but not waited for
	parent int
}

// listProcesses reads /proc, because small images have no ps.
func listProcesses() (map[int]processInfo, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	processes := make(map[int]processInfo)
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue // not a process
		}
		stat, err := os.ReadFile("/proc/" + entry.Name() + "/stat")
		if err != nil {
			continue // it has ended meanwhile
		}
		if processes[pid], err = parseStat(string(stat)); err != nil {
			return nil, err
		}
	}
	return processes, nil
}

// parseStat parses "pid (name) state parent ...". The name may contain spaces and parentheses.
func parseStat(stat string) (processInfo, error) {
	var p processInfo
	end := strings.LastIndexByte(stat, ')')
	if _, err := fmt.Sscan(stat[end+1:], &p.state, &p.parent); err != nil {
		return p, fmt.Errorf("unexpected /proc stat %q: %w", stat, err)
	}
	return p, nil
}
