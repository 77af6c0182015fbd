package opensshtest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
)

var errNotInstalled = errors.New("sshd is not installed")

// places are the names under which sshd is searched, in this order. PATH often lacks the directories of system
// programs.
var places = []string{"sshd", "/usr/sbin/sshd", "/usr/local/sbin/sshd"}

// find returns the absolute path of sshd, which refuses to run under a relative one.
func find(places []string) (string, error) {
	for _, place := range places {
		if path, err := exec.LookPath(place); err == nil {
			return filepath.Abs(path)
		}
	}
	return "", errNotInstalled
}

// privilegeSeparationDir makes the directory that sshd needs when root starts it. Normally a service manager does that.
func privilegeSeparationDir(uid string) error {
	if uid != "0" {
		return nil
	}
	return os.MkdirAll("/run/sshd", 0o755)
}
