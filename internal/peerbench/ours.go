package main

import "strconv"

// client returns plans that run this program as a client of the server, with the given kind of file system.
func client(fsName string, flags ...string) func(job) (plan, bool) {
	return func(j job) (plan, bool) {
		if fsName == "afero" && j.task == edits {
			return plan{}, false // it can't know what was edited
		}
		return one(append(clientCommand(fsName, j), flags...)...), true
	}
}

func clientCommand(fsName string, j job) []string {
	return []string{j.host.program, clientWord,
		"-fs", fsName, "-task", string(j.task),
		"-addr", j.host.addr + ":" + j.host.port, "-user", j.host.user,
		"-key", j.host.keyFile, "-known-hosts", j.host.knownHosts,
		"-remote", j.remoteDir, "-local", j.localDir, "-scratch", j.scratch,
		"-item", j.item.name, "-file=" + strconv.FormatBool(j.item.isFile()),
		"-names", j.names, "-blocks", strconv.Itoa(j.blocks),
	}
}

// prepareWith returns commands that let this kind of file system copy the data in advance.
func prepareWith(fsName string) func(job) []string {
	return func(j job) []string {
		j.task = pull
		return clientCommand(fsName, j)
	}
}

// osPlan reads the local directory directly, which no cache can beat.
func osPlan(j job) (plan, bool) {
	if j.task != cached {
		return plan{}, false
	}
	return client("os")(j)
}
