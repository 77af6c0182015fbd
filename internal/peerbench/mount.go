package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

// isMounted says whether something is mounted at dir or below it. Only Linux tells; elsewhere nothing is mounted here.
func isMounted(dir string) (bool, error) {
	text, err := os.ReadFile("/proc/self/mounts")
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return mountsHold(string(text), dir), err
}

// mountsHold finds dir, or what is below it, in lines of "device place type options".
func mountsHold(mounts, dir string) bool {
	for line := range strings.Lines(mounts) {
		if fields := strings.Fields(line); len(fields) > 1 && strings.HasPrefix(fields[1]+"/", dir+"/") {
			return true
		}
	}
	return false
}

// removalPatience is how long a server's session that was cut off may go on to write.
const removalPatience = 10 * time.Second

// removeAll is os.RemoveAll, but leaves everything where it is while something is mounted in it: that would be the
// server's files. It tries again while somebody else makes new files in it.
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
