package sftpservers

import (
	_ "embed"
	"fmt"
	"os/exec"
	"testing"
)

//go:embed paramiko.py
var paramikoProgram string

func paramiko(t testing.TB) Server { return paramikoOf(t, "full") }

// paramikoMinimal implements only what paramiko has no default for.
func paramikoMinimal(t testing.TB) Server { return paramikoOf(t, "minimal") }

func paramikoOf(t testing.TB, kind string) Server {
	python := find(t, "/usr/bin/python3")
	if exec.Command(python, "-W", "ignore", "-c", "import paramiko").Run() != nil {
		find(t, "python3-paramiko") // not installed
	}
	m := prepare(t)
	program := write(t, m.dir, "server.py", paramikoProgram)
	authorized := write(t, m.dir, "authorized_key", m.client.authorized())
	return m.server(run(t, m.port, python, program, fmt.Sprint(m.port), m.host.file, authorized, kind))
}
