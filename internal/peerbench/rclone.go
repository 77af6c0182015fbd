package main

func rclonePlan(j job) (plan, bool) {
	command := func(verb string, args ...string) plan {
		return one(append([]string{"rclone", verb,
			"--config", "", // in memory
			"--sftp-host", j.host.addr, "--sftp-port", j.host.port, "--sftp-user", j.host.user,
			"--sftp-key-file", j.host.keyFile, "--sftp-known-hosts-file", j.host.knownHosts,
			"--sftp-disable-hashcheck", "--sftp-shell-type", "none",
			"--sftp-chunk-size", "255k", "--sftp-concurrency", "64",
			"--transfers", "16", "--checkers", "16",
		}, args...)...)
	}
	// A file is copied into a directory, a tree to its own name.
	from, to := ":sftp:"+j.remote(), j.local()
	if j.task != pull {
		from, to = j.local(), ":sftp:"+j.remote()
	}
	verb := "copy"
	if j.item.isFile() {
		verb = "copyto"
	}
	switch j.task {
	case pull, push, edits:
		return command(verb, "--multi-thread-cutoff", "1M", "--multi-thread-streams", "4", from, to), true
	case list:
		return command("lsl", ":sftp:"+j.remote()), true
	}
	return plan{}, false
}
