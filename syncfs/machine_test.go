package syncfs

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/foldfs"
	"github.com/sftpsyncer/go-syncfs/internal/lateremote"
	"github.com/sftpsyncer/go-syncfs/internal/remotetest"
)

// A machine goes through random histories: calls on the Fs, pushes, changes by another client, restarts; and troubles
// in the middle of any of them: operations that fail on either side, the death of the process, the loss of power. After
// every step the view is that of the model, after a push without error the remote is as well, and at no moment does
// anybody who looks at the remote see a file in part.
func TestMachine(t *testing.T) {
	t.Parallel()
	for _, c := range machineCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			want := int64(c.steps)
			if !full() {
				want /= 30
			}
			count := new(machineCount)
			for count.steps.Load() < want && !t.Failed() {
				rapid.Check(t, func(rt *rapid.T) {
					m := newMachine(rt, c.revalidate, c.with, count)
					defer m.end()
					for range rapid.IntRange(1, 40).Draw(rt, "steps") {
						m.step()
						count.steps.Add(1)
					}
					m.finish()
				})
			}
			t.Log(count)
		})
	}
}

// machineCases are the kinds of histories. What one adds to the others is in a case of its own, so that a failure tells of
// which it is.
var machineCases = []struct {
	name       string
	steps      int
	revalidate time.Duration
	with       machineWith
}{
	{"never asks again", 60_000, 0, machineWith{}},
	{"always asks", 60_000, cachefs.Always, machineWith{}},
	{"cancelled", 20_000, 0, machineWith{cancels: true}},
	{"cancelled, always asks", 20_000, cachefs.Always, machineWith{cancels: true}},
	{"wrong clock", 20_000, 0, machineWith{clock: true}},
	{"wrong clock, always asks", 20_000, cachefs.Always, machineWith{clock: true}},
	{"truncates", 20_000, 0, machineWith{truncates: true}},
	{"swaps", 20_000, 0, machineWith{swaps: true}},
	{"by hand", 20_000, 0, machineWith{byHand: true}},
	{"lost log", 20_000, 0, machineWith{lostLog: true}},
	{"leftovers", 20_000, 0, machineWith{leftovers: true}},
	{"late", 20_000, 0, machineWith{late: true}},
	{"ordered", 20_000, 0, machineWith{ordered: true, swaps: true}},
	{"folding", 20_000, 0, machineWith{local: folding}},
	{"folding, always asks", 20_000, cachefs.Always, machineWith{local: folding}},
}

// folding makes a local directory one that takes names for the same which differ in case.
func folding(disk afero.Fs) afero.Fs { return foldfs.New(disk, foldfs.Options{Fold: strings.ToLower}) }

// machineWith is what may happen in a history besides what happens in all of them.
type machineWith struct {
	cancels   bool                    // the context of a push ends at one of its operations
	late      bool                    // requests without an answer are executed at some later step
	truncates bool                    // a file of which an old copy is shown is opened with O_TRUNC
	swaps     bool                    // files change names with each other
	byHand    bool                    // copies are edited in the local directory
	clock     bool                    // this side's clock is wrong
	lostLog   bool                    // the log of changes is deleted
	ordered   bool                    // Options.Ordered
	leftovers bool                    // other clients, now dead, have left temporary files
	local     func(afero.Fs) afero.Fs // makes the local directory one of another kind; nil: as it is
}

// machineCount counts what happened in all histories.
type machineCount struct{ steps, late, cancels, conflicts atomic.Int64 }

func (c *machineCount) String() string {
	return fmt.Sprintf("%d steps, %d late requests, %d cancelled pushes, %d pushes with conflicts",
		c.steps.Load(), c.late.Load(), c.cancels.Load(), c.conflicts.Load())
}

// machine is one history.
type machine struct {
	rt      *rapid.T
	with    machineWith
	count   *machineCount
	line    *lateremote.Line
	opts    Options
	store   *store
	disk    *crashfs.Fs
	quick   bool             // the remote has short cuts
	journal bool             // of the disk
	sides   [2]*faultfs.Plan // of the remote and of the local side
	time    atomic.Int64     // in nanoseconds since 1970, by the clocks of both sides
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
	// leftovers are the names of temporary files of other clients, without their directories.
	leftovers map[string]bool
}

func newMachine(rt *rapid.T, revalidate time.Duration, with machineWith, count *machineCount) *machine {
	m := &machine{rt: rt, with: with, count: count, line: new(lateremote.Line), opts: Options{RetryFor: -1, Ordered: with.ordered},
		model: newModel(), leftovers: map[string]bool{}}
	m.opts.Cache.Revalidate = revalidate
	m.pass(machineBegins)
	skew := time.Duration(0)
	if with.clock {
		skew = rapid.SampledFrom([]time.Duration{-time.Hour, -3 * time.Second, 3 * time.Second, time.Hour}).Draw(rt, "skew")
	}
	m.opts.Cache.Now = func() time.Time { return m.now().Add(skew) }
	m.opts.Cache.Parallel = rapid.SampledFrom([]int{1, 1, 1, 4}).Draw(rt, "parallel")
	m.store = newStore(rapid.SampledFrom([]bool{true, true, false}).Draw(rt, "replaces"), &crashfs.Options{Now: m.now})
	// Calls of a remote without contexts go on beside the test when their context has ended.
	m.quick = with.cancels || rapid.Bool().Draw(rt, "quick")
	m.journal = rapid.Bool().Draw(rt, "journal")
	m.disk = m.newDisk()
	m.sides = [2]*faultfs.Plan{new(faultfs.Plan), new(faultfs.Plan)}
	for _, name := range []string{"a", "b", "d/a", "d/b", "d/c/a"} {
		require.NoError(rt, m.store.Fs.MkdirAll("/"+parent(name), 0o755))
		require.NoError(rt, m.store.serve(name, m.text(""), m.past()))
	}
	require.NoError(rt, m.open())
	m.follow(m.store.tree(), nil)
	return m
}

func (m *machine) newDisk() *crashfs.Fs {
	return crashfs.New(&crashfs.Options{Journal: m.journal, Inodes: m.journal, Now: m.now})
}

const (
	machineBegins = 1_600_000_000 * time.Second // since 1970
	// listsLast is a little more than the default of Options.Cache.ListTTL: what the other client does shows after it.
	listsLast = 5*time.Second + time.Millisecond
)

// now is the time. It goes on a little each time it is looked at, so that a history does not depend on how long it takes.
func (m *machine) now() time.Time { return time.Unix(0, m.time.Add(int64(time.Microsecond))) }

// pass lets time pass.
func (m *machine) pass(d time.Duration) { m.time.Add(int64(d)) }

func (m *machine) open() error {
	err := m.openDamaged()
	if err == nil {
		err = m.fs.Damage()
	}
	return err
}

// openDamaged is open for a state that may be damaged.
func (m *machine) openDamaged() error {
	remote := afero.Fs(faultfs.New(coarse{m.store}, m.sides[0]))
	if m.quick {
		remote = remotetest.Quick(remote)
	}
	if m.with.cancels || m.with.late {
		if m.quick {
			remote = lateremote.Quick(remote.(lateremote.Base), m.line)
		} else {
			remote = lateremote.New(remote, m.line)
		}
	}
	local := afero.Fs(m.disk)
	if m.with.local != nil {
		local = m.with.local(local)
	}
	s, err := New(remote, faultfs.New(local, m.sides[1]), &m.opts)
	if err == nil {
		m.fs = s
	}
	return err
}

// end releases what a history that failed may have left.
func (m *machine) end() {
	m.heal()
	m.line.DeliverAll()
	if m.held != nil {
		_ = m.held.Close()
	}
	_ = m.fs.Close()
}

// finish brings both sides together.
func (m *machine) finish() {
	m.release()
	m.deliver(len(m.line.Held()))
	m.wayOut()
	require.NoError(m.rt, m.fs.Close())
	for _, side := range m.sides {
		closesAll(m.rt, side)
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

// machineRareOps are what happens only in histories that are made with it, but there often.
var machineRareOps = []struct {
	in   func(machineWith) bool
	name string
	do   func(*machine)
}{
	{func(w machineWith) bool { return w.cancels }, "cancel a push", func(m *machine) { m.pushWith([]string{"cancel"}) }},
	{func(w machineWith) bool { return w.late }, "push without answers", func(m *machine) { m.pushWith([]string{"late"}) }},
	{func(w machineWith) bool { return w.late }, "deliver", func(m *machine) { m.deliver(1) }},
	{func(w machineWith) bool { return w.truncates }, "truncate an old copy", (*machine).truncateStale},
	{func(w machineWith) bool { return w.swaps }, "swap", (*machine).swap},
	{func(w machineWith) bool { return w.byHand }, "edit by hand", (*machine).editByHand},
	{func(w machineWith) bool { return w.lostLog }, "lose the log", (*machine).loseLog},
	{func(w machineWith) bool { return w.leftovers }, "leftover", (*machine).leftover},
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
	name, do := op.name, op.do
	var rare []int
	for i, op := range machineRareOps {
		if op.in(m.with) {
			rare = append(rare, i)
		}
	}
	if len(rare) > 0 && rapid.Bool().Draw(m.rt, "rare") {
		op := machineRareOps[rapid.SampledFrom(rare).Draw(m.rt, "rare op")]
		name, do = op.name, op.do
	}
	m.rt.Logf("-- %s", name)
	do(m)
	m.look("")
}
