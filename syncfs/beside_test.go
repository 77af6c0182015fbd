package syncfs

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// A call beside a Push that changes the remote all the time asks a bounded number of times. Without that bound it would last
// as long as the Push.
func TestCallsBesideAPushEnd(t *testing.T) {
	t.Parallel()
	const changes, trip = 400, 10 * time.Millisecond
	second := func(_ any, err error) error { return err }
	for what, change := range map[string]func(r *rig, name string){
		"writes":      func(r *rig, name string) { r.write(name) },
		"directories": func(r *rig, name string) { r.write(name + "-new/") },
		"symlinks":    func(r *rig, name string) { require.NoError(r, r.fs.SymlinkIfPossible("x", name+"-new")) },
		"renames":     func(r *rig, name string) { require.NoError(r, r.fs.Rename(name, name+"-new")) },
		"removals":    func(r *rig, name string) { require.NoError(r, r.fs.Remove(name)) },
		"modes":       func(r *rig, name string) { require.NoError(r, r.fs.Chmod(name, 0o600)) },
	} {
		t.Run(what, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newRig(t, &Options{})
				r.opts.Cache.Parallel = 3
				r.opts.Cache.ListTTL = time.Minute
				r.restart()
				for i := range changes {
					r.serve(fmt.Sprintf("d/%d", i))
				}
				r.serve("other/file")
				for i := range changes {
					change(r, fmt.Sprintf("d/%d", i))
				}
				var mu sync.Mutex
				random := rand.New(rand.NewPCG(1, 2))
				var asked atomic.Int64
				r.plan.Before(func(op faultfs.Op) error {
					if strings.HasPrefix(op.Name, "/other") {
						asked.Add(1)
						time.Sleep(trip)
					} else {
						mu.Lock()
						d := time.Duration(random.Int64N(int64(trip)))
						mu.Unlock()
						time.Sleep(d)
					}
					return nil
				})
				pushed := make(chan error, 1)
				go func() {
					_, err := r.push()
					pushed <- err
				}()
				for name, call := range map[string]func() error{
					"stat":    func() error { return second(r.fs.Stat("other/file")) },
					"missing": func() error { require.Error(t, second(r.fs.Stat("other/none"))); return nil },
					"read":    func() error { return second(afero.ReadFile(r.fs, "other/file")) },
					"list":    func() error { return second(afero.ReadDir(r.fs, "other")) },
				} {
					before := asked.Load()
					require.NoError(t, call())
					require.Less(t, asked.Load()-before, int64(20), name)
				}
				select {
				case <-pushed:
					t.Fatal("the push ended before the calls")
				default:
				}
				require.NoError(t, <-pushed)
				r.plan.Heal()
				r.pushes()
			})
		})
	}
}
