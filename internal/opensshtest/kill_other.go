//go:build !unix

package opensshtest

import "os"

// killTree kills sshd. Its sessions end with their connections.
func killTree(sshd *os.Process) error { return sshd.Kill() }
