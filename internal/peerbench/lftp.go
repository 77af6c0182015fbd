package main

import (
	"fmt"
	"strings"
)

// lftpPlan fetches one file in eight parts, and copies trees sixteen files at a time. lftp can't split the upload of
// one file.
func lftpPlan(j job) (plan, bool) {
	script := []string{
		"set cmd:fail-exit yes",
		"set net:max-retries 5",
		"set net:reconnect-interval-base 1",
		"set xfer:clobber yes",
		"set xfer:log no",
		"set mirror:parallel-directories yes",
		fmt.Sprintf("set sftp:connect-program %q", "ssh -a -x -F "+j.host.sshConfig),
		"set sftp:max-packets-in-flight 256",
		"open -u " + j.host.user + ", sftp://" + alias,
	}
	switch {
	case j.task == pull && j.item.isFile():
		script = append(script, fmt.Sprintf("pget -n 8 -O %q %q", j.localDir, j.remote()))
	case j.task == push && j.item.isFile():
		script = append(script, fmt.Sprintf("put -O %q %q", j.remoteDir, j.local()))
	case j.task == pull:
		script = append(script, fmt.Sprintf("mirror -P16 %q %q", j.remote(), j.local()))
	case j.task == push, j.task == edits:
		script = append(script, fmt.Sprintf("mirror -R -P16 %q %q", j.local(), j.remote()))
	case j.task == list:
		script = append(script, fmt.Sprintf("cd %q", j.remote()), "find -l")
	default:
		return plan{}, false
	}
	return one("lftp", "-c", strings.Join(script, "; ")), true
}

// parseLftp parses "-rw-r--r-- root/root      1024 2024-05-06 07:08:00 ./a/b.txt".
func parseLftp(line string) (file, bool) {
	fields := strings.Fields(line)
	if len(fields) < 4 || !strings.HasPrefix(line, "-") {
		return file{}, false
	}
	return sized(fields[2], strings.TrimPrefix(fields[len(fields)-1], "./"))
}
