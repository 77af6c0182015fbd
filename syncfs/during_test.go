package syncfs

import (
	"context"
	"io/fs"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/remotetest"
)

// Random sequences of calls while pushes run: every answer is what package os says, and a push at the end makes the remote
// what package os has. Each request takes a random time, and a random time passes between two calls; the clock is that of a
// bubble.
func TestDifferentialDuringPushes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sides     func(t testing.TB) (remote, local afero.Fs)
		incapable map[aferotest.Capability]string
	}{
		"memory": {
			func(testing.TB) (remote, local afero.Fs) { return bubbleDisk(), bubbleDisk() },
			map[aferotest.Capability]string{aferotest.Links: "crashfs has none"},
		},
		"directories": {
			func(t testing.TB) (remote, local afero.Fs) { return coarse{aferotest.OS(t.TempDir())}, realDir(t) },
			nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				pushes := map[afero.Fs]*background{}
				aferotest.Differential(struct{ testing.TB }{t}, aferotest.Subject{ // rapid may not ask a bubble for its deadline
					New: func(t testing.TB) afero.Fs {
						remote, local := c.sides(t)
						b := newBackground(t, 0, remote, local)
						t.Cleanup(func() { b.close(t) })
						subject := remotetest.Before(b.fs, b.call)
						pushes[subject] = b
						return subject
					},
					Incapable: c.incapable,
					Sometimes: func(t rapid.TB, subject, oracle afero.Fs) {
						b := pushes[subject]
						b.end()
						_, err := b.fs.Push(context.Background())
						require.NoError(t, err)
						require.Empty(t, b.fs.Pending())
						tree, err := aferotest.Tree(oracle)
						require.NoError(t, err)
						served, err := aferotest.Tree(b.remote)
						require.NoError(t, err)
						require.Empty(t, aferotest.Diff(tree, served))
					},
				})
			})
		})
	}
}

// bubbleNow is the clock of a bubble in a year that is later than what tests set. It is not that of real directories.
func bubbleNow() time.Time { return time.Now().AddDate(30, 0, 0) }

func bubbleDisk() afero.Fs { return crashfs.New(&crashfs.Options{Now: bubbleNow}) }

// ofFiles take no time: a file that is closed is waited for by a mutex, for which the clock of a bubble does not go on.
var ofFiles = []faultfs.Kind{faultfs.Read, faultfs.ReadAt, faultfs.Write, faultfs.WriteAt, faultfs.Truncate, faultfs.Sync,
	faultfs.Fstat, faultfs.Readdir, faultfs.Close}

// What is removed during a push is shown by its open handles as it was, whatever the push learns about it.
func TestHandleOfWhatIsRemovedDuringAPush(t *testing.T) {
	t.Parallel()
	for name, serve := range map[string]string{"file": "x", "directory": "x/"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.serve(serve)
			f, err := r.fs.Open("x")
			require.NoError(t, err)
			defer f.Close()
			require.NoError(t, r.fs.Chmod("x", 0o750))
			removed := false
			r.plan.After(func(op faultfs.Op, err error) error {
				if op.Kind == faultfs.Chmod && !removed {
					removed = true
					require.NoError(t, r.fs.Chmod("x", 0o700))
					require.NoError(t, r.fs.Remove("x"))
				}
				return err
			})
			_, _ = r.push()
			require.True(t, removed)
			info, err := f.Stat()
			require.NoError(t, err)
			require.Equal(t, fs.FileMode(0o700), info.Mode().Perm())
			r.pushes()
			r.has(r.served())
		})
	}
}

// background pushes beside the calls of a program.
type background struct {
	fs     *Fs
	remote afero.Fs
	local  afero.Fs
	done   chan struct{} // of the push that runs; nil: none does

	ops    sync.RWMutex // held for reading by a request that is carried out, for writing by others
	mu     sync.Mutex   // guards random
	random *rand.Rand
}

// newBackground has a remote whose requests take random times.
func newBackground(t require.TestingT, revalidate time.Duration, remote, local afero.Fs) *background {
	b := &background{remote: remote, local: local, random: rand.New(rand.NewPCG(1, 2))}
	plan := new(faultfs.Plan)
	plan.Before(func(op faultfs.Op) error {
		if !slices.Contains(ofFiles, op.Kind) {
			b.wait()
		}
		b.ops.RLock()
		return nil
	})
	plan.After(func(_ faultfs.Op, err error) error {
		b.ops.RUnlock()
		return err
	})
	var err error
	b.fs, err = New(faultfs.New(b.remote, plan), b.local, trying(&Options{
		Cache: cachefs.Options{Now: bubbleNow, Revalidate: revalidate},
	}))
	require.NoError(t, err)
	return b
}

// close ends all.
func (b *background) close(t require.TestingT) {
	b.end()
	require.NoError(t, b.fs.Close())
	time.Sleep(time.Second) // of the bubble: requests end that were given up
}

// below is a random number.
func (b *background) below(n int) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.random.IntN(n)
}

func (b *background) wait() { time.Sleep(time.Duration(b.below(10)) * time.Millisecond) }

// call comes before a call.
func (b *background) call() {
	b.wait()
	if b.done != nil {
		select {
		case <-b.done:
			b.done = nil
		default:
		}
	}
	if b.done == nil && b.below(3) == 0 {
		done := make(chan struct{})
		b.done = done
		ctx, cancel := context.Background(), func() {}
		if b.below(3) == 0 {
			ctx, cancel = context.WithTimeout(ctx, time.Duration(b.below(200))*time.Millisecond)
		}
		go func() {
			defer close(done)
			defer cancel()
			_, _ = b.fs.Push(ctx)
		}()
		b.wait()
	}
}

// end waits for the push that runs.
func (b *background) end() {
	if b.done != nil {
		<-b.done
	}
	b.done = nil
}
