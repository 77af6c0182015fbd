package localdir

import "golang.org/x/sys/unix"

// boot returns what sysctl(3) has for each boot.
func boot() string {
	id, _ := unix.Sysctl("kern.bootsessionuuid")
	return id
}
