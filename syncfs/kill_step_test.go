//go:build unix

package syncfs

import (
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// killScript has each kind of change, on files that are here and that are not.
var killScript = []killOp{
	{Kind: "read", Name: "keep"},
	{Kind: "open", Name: "edit", Flag: os.O_RDWR},
	{Kind: "write", Size: 2000, Off: 3, Seed: 1},
	{Kind: "close"},
	{Kind: "open", Name: "empty", Flag: os.O_WRONLY | os.O_TRUNC},
	{Kind: "write", Size: 10, Seed: 2},
	{Kind: "sync"},
	{Kind: "write", Size: 10, Off: 10, Seed: 3},
	{Kind: "close"},
	{Kind: "open", Name: "new1", Flag: os.O_RDWR | os.O_CREATE | os.O_TRUNC, Mode: 0o644},
	{Kind: "write", Size: 100, Seed: 4},
	{Kind: "close"},
	{Kind: "open", Name: "new2", Flag: os.O_RDWR | os.O_CREATE | os.O_EXCL, Mode: 0o600},
	{Kind: "close"},
	{Kind: "open", Name: "new3", Flag: os.O_RDWR | os.O_CREATE, Mode: 0o640},
	{Kind: "write", Size: 5, Seed: 5},
	{Kind: "close"},
	{Kind: "put", Name: "hand", Size: 300, Seed: 6},
	{Kind: "add", Name: "hand"},
	{Kind: "put", Name: "hand2", Size: 300, Seed: 7},
	{Kind: "rename", Name: "hand2", NewName: "hand3"},
	{Kind: "rename", Name: "moved", NewName: "dir/moved"},
	{Kind: "rename", Name: "dir", NewName: "dir2"},
	{Kind: "remove", Name: "gone"},
	{Kind: "rename", Name: "new3", NewName: "over"},
	{Kind: "remove", Name: "again"},
	{Kind: "open", Name: "again", Flag: os.O_RDWR | os.O_CREATE, Mode: 0o644},
	{Kind: "write", Size: 50, Seed: 8},
	{Kind: "close"},
	{Kind: "mkdir", Name: "made", Mode: 0o755},
	{Kind: "mkdir", Name: "made2", Mode: 0o700},
	{Kind: "open", Name: "made/in", Flag: os.O_RDWR | os.O_CREATE, Mode: 0o644},
	{Kind: "write", Size: 70, Seed: 9},
	{Kind: "close"},
	{Kind: "chmod", Name: "mode", Mode: 0o700},
	{Kind: "chmod", Name: "dir2", Mode: 0o750},
	{Kind: "push"},
	{Kind: "read", Name: "mode"},
	{Kind: "open", Name: "edit", Flag: os.O_WRONLY},
	{Kind: "write", Size: 90, Off: 50, Seed: 10},
	{Kind: "close"},
	{Kind: "rename", Name: "new1", NewName: "made/new1"},
	{Kind: "remove", Name: "keep"},
	{Kind: "removeall", Name: "dir2"},
	{Kind: "push"},
}

var killServed = map[string]string{
	"keep": "kept", "edit": "to be edited", "empty": "to be emptied", "moved": "to be moved", "dir/x": "x",
	"dir/sub/y": "y", "gone": "to be removed", "over": "to be replaced", "again": "to be made again", "mode": "its mode",
}

// killAfterwards is what a program may do about all these before the first push after the restart.
var killAfterwards = []killOp{
	{Kind: "remove", Name: "new1"},
	{Kind: "chmod", Name: "new2", Mode: 0o711},
	{Kind: "remove", Name: "over"},
	{Kind: "remove", Name: "again"},
	{Kind: "remove", Name: "made2"},
	{Kind: "rename", Name: "made/in", NewName: "in"},
	{Kind: "removeall", Name: "made"},
	{Kind: "chmod", Name: "edit", Mode: 0o722},
	{Kind: "rename", Name: "empty", NewName: "empty2"},
	{Kind: "remove", Name: "hand3"},
	{Kind: "removeall", Name: "dir2"},
	{Kind: "mkdir", Name: "dir2", Mode: 0o755},
}

// A process kills itself right before the n-th change of a directory, the local one's or the remote's, for each n of a
// fixed program. So it is killed between any two effects that it has.
func TestKillAtEachStep(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		sides      string
		refuse     bool
		direct     bool
		afterwards []killOp
	}{
		{"both sides", "both", false, false, nil},
		{"both sides, changed afterwards", "both", false, false, killAfterwards},
		{"remote", "remote", false, false, killAfterwards},
		{"remote that does not replace", "remote", true, false, nil},
		{"remote that does not replace, changed afterwards", "remote", true, false, killAfterwards},
		{"both sides, delivered directly", "both", false, true, nil},
		{"remote, delivered directly, changed afterwards", "remote", false, true, killAfterwards},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			child := killChild{Sides: c.sides, Refuse: c.refuse, Direct: c.direct}
			total := killAt(t, -1, child, c.afterwards)
			require.Greater(t, total, 40, "changes that the program makes")
			stride := 23 // of all steps a few, others each time
			if full() {
				stride = 1
			}
			for at := mathrand.IntN(stride); at < total; at += stride {
				if !t.Run(fmt.Sprint(at), func(t *testing.T) { killAt(t, at, child, c.afterwards) }) {
					return
				}
			}
		})
	}
}

// killAt has the program killed before one of its changes, or not at all, and returns how many it made if it came to its
// end.
func killAt(t *testing.T, at int, child killChild, afterwards []killOp) int {
	w := startedKillWorld(t, t.TempDir(), killServed)
	w.rand = mathrand.New(mathrand.NewPCG(uint64(at), 0))
	w.child.Script, w.child.At = killScript, at
	w.child.Sides, w.child.Refuse, w.child.Direct = child.Sides, child.Refuse, child.Direct
	w.remote = killRemote(w.served, child.Refuse, nil)
	if child.Sides == "both" { // which knows less about local files
		w.local = faultfs.New(w.local, nil)
	}
	under, last := w.run(-1, 0)
	s := w.open(under)
	for _, op := range afterwards {
		w.both(s, op)
	}
	w.settle(s)
	require.NoError(t, s.Close())
	return last.Total
}
