package main

// sshfsPlan mounts the remote directory, works on the mount and unmounts it.
func sshfsPlan(j job) (plan, bool) {
	var p plan
	mounted := j
	mounted.localDir = j.mount
	switch j.task {
	case pull:
		p = one("cp", "-r", mounted.local(), j.localDir+"/")
	case push:
		p = one("cp", "-r", j.local(), j.mount+"/")
	case edits: // only newer files
		p = one("cp", "-r", "-u", "--preserve=timestamps", j.local(), j.mount+"/")
	case list:
		p = one("find", mounted.local(), "-type", "f", "-printf", findFormat)
	case reads, first:
		p, _ = client("os")(mounted)
	default:
		return plan{}, false
	}
	p.mount = []string{"sshfs", "-f", "-F", j.host.sshConfig, alias + ":" + j.remoteDir, j.mount}
	if j.task != push && j.task != edits {
		p.mount = append(p.mount, "-o", "ro")
	}
	return p, true
}
