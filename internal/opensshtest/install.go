package opensshtest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
)

var errNotInstalled = errors.New("sshd is not installed")

// places is where sshd is looked for, in this order. PATH often lacks the folders for system binaries.
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

// privilegeSeparationDir makes the directory that sshd wants when it is started as root; a service manager would.
func privilegeSeparationDir(uid string) error {
	if uid != "0" {
		return nil
	}
	return os.MkdirAll("/run/sshd", 0o755)
}
