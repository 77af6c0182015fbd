package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

// isMounted reports whether something is mounted at dir or below it. On systems other than Linux nothing is mounted
// here.
func isMounted(dir string) (bool, error) {
	text, err := os.ReadFile("/proc/self/mounts")
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return mountsHold(string(text), dir), err
}

// mountsHold searches for dir, or a directory below it, in lines of "device place type options".
func mountsHold(mounts, dir string) bool {
	for line := range strings.Lines(mounts) {
		if fields := strings.Fields(line); len(fields) > 1 && strings.HasPrefix(fields[1]+"/", dir+"/") {
			return true
		}
	}
	return false
}

// removalPatience is how long a server session that was cut off may continue to write.
const removalPatience = 10 * time.Second

// removeAll is os.RemoveAll, but removes nothing while something is mounted in dir: that would be the server's files.
// It tries again while another process makes new files in dir.
func removeAll(dir string) error {
	mounted, err := isMounted(dir)
	if err != nil {
		return err
	}
	if mounted {
		return fmt.Errorf("something is still mounted in %s, which is left as it is", dir)
	}
	for deadline := time.Now().Add(removalPatience); ; time.Sleep(10 * time.Millisecond) {
		if err := os.RemoveAll(dir); err == nil || time.Now().After(deadline) {
			return err
		}
	}
}
