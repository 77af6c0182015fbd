package main

import (
	"fmt"
	"strings"
)

// sshConfigText returns the configuration for everything that uses the OpenSSH client: nothing of the user's, a checked
// host key, and the cipher that is fastest here.
func sshConfigText(h host) string {
	return fmt.Sprintf(`Host %s
HostName %s
Port %s
User %s
IdentityFile "%s"
IdentitiesOnly yes
IdentityAgent none
UserKnownHostsFile "%s"
GlobalKnownHostsFile /dev/null
StrictHostKeyChecking yes
BatchMode yes
Ciphers aes128-gcm@openssh.com
Compression no
ControlMaster no
LogLevel ERROR
`, alias, h.addr, h.port, h.user, h.keyFile, h.knownHosts)
}

// sftpPlan uses the best settings of sftp: the largest packets, and more requests than its window holds.
func sftpPlan(j job) (plan, bool) {
	recursive := " -r"
	if j.item.isFile() {
		recursive = ""
	}
	p := one("sftp", "-q", "-F", j.host.sshConfig, "-B", "262000", "-R", "256", "-b", "-", alias)
	switch j.task {
	case pull:
		p.input = fmt.Sprintf("get%s %q %q\n", recursive, j.remote(), j.localDir+"/")
	case push:
		p.input = fmt.Sprintf("put%s %q %q\n", recursive, j.local(), j.remoteDir+"/")
	default:
		return plan{}, false
	}
	return p, true
}

func scpPlan(j job) (plan, bool) {
	command := []string{"scp", "-q", "-r", "-F", j.host.sshConfig, "-X", "buffer=262000", "-X", "nrequests=256"}
	switch j.task {
	case pull:
		return one(append(command, alias+":"+j.remote(), j.localDir+"/")...), true
	case push:
		return one(append(command, j.local(), alias+":"+j.remoteDir+"/")...), true
	}
	return plan{}, false
}

// sshPlan does what a shell with ssh can do.
func sshPlan(j job) (plan, bool) {
	ssh := func(command ...string) []string {
		return []string{"ssh", "-F", j.host.sshConfig, alias, strings.Join(command, " ")}
	}
	switch j.task {
	case pull:
		return plan{pipe: [][]string{
			ssh("tar", "-C", quote(j.remoteDir), "-cf", "-", j.item.name),
			{"tar", "-C", j.localDir, "-xf", "-"},
		}}, true
	case push:
		return plan{pipe: [][]string{
			{"tar", "-C", j.localDir, "-cf", "-", j.item.name},
			ssh("tar", "-C", quote(j.remoteDir), "-xf", "-"),
		}}, true
	case list:
		return one(ssh("find", quote(j.remote()), "-type", "f", "-printf", quote(findFormat))...), true
	case first:
		return one(ssh("head", "-c", "1", quote(j.remote()))...), true
	}
	return plan{}, false
}

// findFormat is the format of find that parsePlain parses.
const findFormat = `%s %P\n`

// quote makes text one word for a shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
