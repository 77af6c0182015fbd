package main

import (
	"strings"
)

func rsyncPlan(j job) (plan, bool) {
	command := []string{"rsync", "-a", "-e", "ssh -F " + j.host.sshConfig}
	switch j.task {
	case pull:
		return one(append(command, alias+":"+j.remote(), j.localDir+"/")...), true
	case push, edits:
		return one(append(command, j.local(), alias+":"+j.remoteDir+"/")...), true
	case list:
		return one(append(command, "--list-only", "--no-human-readable", alias+":"+j.remote()+"/")...), true
	}
	return plan{}, false
}

// parseRsync parses "-rw-r--r--          1,024 2024/05/06 07:08:00 a/b.txt".
func parseRsync(line string) (file, bool) {
	fields := strings.Fields(line)
	if len(fields) != 5 || !strings.HasPrefix(line, "-") {
		return file{}, false
	}
	return sized(strings.ReplaceAll(fields[1], ",", ""), fields[4])
}
