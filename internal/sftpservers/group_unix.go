//go:build unix

package sftpservers

import (
	"os/exec"
	"syscall"
)

// ownGroup gives the server a process group of its own, so that killGroup reaches its children, too.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func killGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
