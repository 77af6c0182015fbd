package syncfs

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/remotetest"
)

// A machine goes through random histories: calls on the Fs, pushes, changes by another client, restarts; and troubles
// in the middle of any of them: operations that fail on either side, the death of the process, the loss of power. After
// every step the view is that of the model, after a push without error the remote is as well, and at no moment does
// anybody who looks at the remote see a file in part.
func TestMachine(t *testing.T) {
	t.Parallel()
	for name, revalidate := range map[string]time.Duration{"never asks again": 0, "always asks": cachefs.Always} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := int64(6_000)
			if full() {
				want = 60_000
			}
			var steps atomic.Int64
			for steps.Load() < want && !t.Failed() {
				rapid.Check(t, func(rt *rapid.T) {
					m := newMachine(rt, revalidate)
					defer m.end()
					for range rapid.IntRange(1, 40).Draw(rt, "steps") {
						m.step()
						steps.Add(1)
					}
					m.finish()
				})
			}
			t.Logf("%d steps", steps.Load())
		})
	}
}

// machine is one history.
type machine struct {
	rt      *rapid.T
	opts    Options
	store   *store
	disk    *crashfs.Fs
	quick   bool             // the remote has short cuts
	journal bool             // of the disk
	sides   [2]*faultfs.Plan // of the remote and of the local side
	fs      *Fs

	*model
	length int        // of the text made last: each is longer than those before, so that its length tells it
	held   afero.File // a file that is being written
	// uncertain: a push has failed, so that some of what was queued is on the remote, and some is not. Until the next
	// one that succeeds, the other client does nothing.
	uncertain bool
	// suspect: before that the other client had changed what is queued.
	suspect bool
	edited  bool // the other client has done something
	latent  bool // it has removed what was removed here too: something new of that name would be in conflict
	// setBack: the loss of power may have brought back changes to what the other client has changed since.
	setBack bool
}

func newMachine(rt *rapid.T, revalidate time.Duration) *machine {
	m := &machine{rt: rt, opts: Options{RetryFor: -1}, model: newModel()}
	m.opts.Cache.Revalidate = revalidate
	m.opts.Cache.Parallel = rapid.SampledFrom([]int{1, 1, 1, 4}).Draw(rt, "parallel")
	m.store = newStore(rapid.SampledFrom([]bool{true, true, false}).Draw(rt, "replaces"))
	m.quick = rapid.Bool().Draw(rt, "quick")
	m.journal = rapid.Bool().Draw(rt, "journal")
	m.disk = crashfs.New(&crashfs.Options{Journal: m.journal})
	m.sides = [2]*faultfs.Plan{new(faultfs.Plan), new(faultfs.Plan)}
	for _, name := range []string{"a", "b", "d/a", "d/b", "d/c/a"} {
		require.NoError(rt, m.store.Fs.MkdirAll("/"+parent(name), 0o755))
		require.NoError(rt, m.store.serve(name, m.text(""), m.past()))
	}
	require.NoError(rt, m.open())
	m.follow(m.store.tree(), nil)
	return m
}

func (m *machine) open() error {
	remote := afero.Fs(faultfs.New(coarse{m.store}, m.sides[0]))
	if m.quick {
		remote = remotetest.Quick(remote)
	}
	s, err := New(remote, faultfs.New(m.disk, m.sides[1]), &m.opts)
	if err == nil {
		m.fs = s
		err = s.Damage()
	}
	return err
}

// end releases what a history that failed may have left.
func (m *machine) end() {
	m.heal()
	if m.held != nil {
		_ = m.held.Close()
	}
	_ = m.fs.Close()
}

// finish brings both sides together.
func (m *machine) finish() {
	m.release()
	m.wayOut()
	require.NoError(m.rt, m.fs.Close())
	for _, side := range m.sides {
		require.Empty(m.rt, side.OpenFiles())
	}
}

var machineOps = []struct {
	weight int
	name   string
	do     func(*machine)
}{
	{1, "nothing", func(*machine) {}}, // to which a history that failed is shortened
	{4, "create", func(m *machine) { m.write(create) }},
	{4, "append", func(m *machine) { m.write(extend) }},
	{2, "overwrite", func(m *machine) { m.write(overwrite) }},
	{3, "replace", (*machine).replace},
	{2, "mkdir", (*machine).callMkdir},
	{2, "mkdirall", (*machine).callMkdirAll},
	{2, "symlink", (*machine).callSymlink},
	{4, "remove", (*machine).callRemove},
	{2, "removeall", (*machine).callRemoveAll},
	{8, "rename", (*machine).callRename},
	{2, "chmod", (*machine).callChmod},
	{2, "chtimes", (*machine).callChtimes},
	{3, "read", (*machine).callRead},
	{1, "pull", (*machine).callPull},
	{1, "evict", (*machine).callEvict},
	{2, "hold", (*machine).hold},
	{2, "release", (*machine).release},
	{7, "push", (*machine).push},
	{7, "other", (*machine).other},
	{2, "restart", (*machine).restart},
}

var machineNames = func() (names []int) {
	for i, op := range machineOps {
		for range op.weight {
			names = append(names, i)
		}
	}
	return names
}()

// step does one thing, and looks at what has become of it.
func (m *machine) step() {
	op := machineOps[rapid.SampledFrom(machineNames).Draw(m.rt, "op")]
	m.rt.Logf("-- %s", op.name)
	op.do(m)
	m.look("")
}
