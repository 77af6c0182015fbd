package localdir

import (
	"os"
	"strings"
	"sync"
)

// boot returns the boot_id of random(4).
var boot = sync.OnceValue(func() string {
	id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(id))
})
