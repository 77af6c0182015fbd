//go:build unix

package opensshtest

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"
)

// killTree kills sshd and its descendants, and waits for the descendants; the caller waits for sshd. Each session calls
// setsid, so there is no process group to kill. sshd is stopped first, so that it can't fork while its descendants are
// searched.
func killTree(sshd *os.Process) error {
	if err := sshd.Signal(syscall.SIGSTOP); err != nil {
		return ignoreGone(err)
	}
	tree, err := stoppedTree(sshd.Pid)
	for _, pid := range append(tree, sshd.Pid) {
		err = errors.Join(err, ignoreGone(syscall.Kill(pid, syscall.SIGKILL)))
	}
	for _, pid := range tree {
		err = errors.Join(err, waitState(pid, "Z", ""))
	}
	return err
}

// Sessions returns the ids of the processes that serve the present sessions.
func (s *Server) Sessions() []int {
	processes, err := listProcesses()
	if err != nil {
		s.t.Errorf("opensshtest: %v", err)
	}
	return descendants(processes, s.process.cmd.Process.Pid)
}

func ignoreGone(err error) error {
	if errors.Is(err, syscall.ESRCH) || errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// stoppedTree waits until the signal has stopped pid, and returns its descendants.
func stoppedTree(pid int) ([]int, error) {
	if err := waitState(pid, "T", "Z", ""); err != nil {
		return nil, err
	}
	processes, err := listProcesses()
	return descendants(processes, pid), err
}

// waitState waits until a process is in one of the states; "" means that it does not exist.
func waitState(pid int, states ...string) error {
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		processes, err := listProcesses()
		if err != nil {
			return err
		}
		state := processes[pid].state
		if slices.Contains(states, state) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("process %d is in state %s after %v, want one of %q", pid, state, patience, states)
		}
	}
}

func descendants(processes map[int]processInfo, pid int) []int {
	var found []int
	for child, info := range processes {
		if info.parent == pid {
			found = append(append(found, child), descendants(processes, child)...)
		}
	}
	return found
}
