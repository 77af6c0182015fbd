package sftpservers

import (
	_ "embed"
	"fmt"
	"os/exec"
	"testing"
)

//go:embed ssh2.js
var ssh2Program string

// ssh2 runs the npm package, which node searches in NODE_PATH.
func ssh2(t testing.TB) Server {
	node := find(t, "node")
	m := prepare(t)
	look := exec.Command(node, "-e", `require("ssh2")`)
	look.Dir = m.dir // the directory of the program
	if look.Run() != nil {
		find(t, "npm package ssh2") // not installed
	}
	program := write(t, m.dir, "ssh2.js", ssh2Program)
	authorized := write(t, m.dir, "authorized_key", m.client.authorized())
	return m.server(run(t, m.port, node, program, fmt.Sprint(m.port), m.host.file, authorized))
}
