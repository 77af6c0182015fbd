package syncfs

import (
	"context"
	"errors"
	"io/fs"
	"sync"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/lateremote"
)

// errKilled is what the operations of a process that is dead would return.
var errKilled = errors.New("killed")

// trouble is what comes into the way of a step.
type trouble struct {
	kind  string // "": none
	fired [2]int // of each side, before
	ctx   context.Context

	mu     sync.Mutex // guards what follows
	left   int        // operations until it comes
	dead   bool
	line   bool        // a context has ended, or a request has got no answer
	whole  bool        // the operation at which it comes is made
	random bool        // the loss of power has left some of what was not synced, and not in the order in which it was done
	after  *crashfs.Fs // what the loss of power has left
}

// Most calls meet none; most pushes, which make many operations, do.
var (
	troubles       = []string{"", "", "", "", "", "", "", "", "fault", "fault", "kill", "power"}
	troublesOfPush = []string{"", "", "fault", "fault", "fault", "kill", "kill", "power", "cancel", "cancel", "late", "late"}
)

// arm prepares trouble for the step to come.
func (m *machine) arm() *trouble { return m.armWith(troubles) }

func (m *machine) armWith(kinds []string) *trouble {
	t := &trouble{kind: rapid.SampledFrom(kinds).Draw(m.rt, "trouble"), ctx: context.Background()}
	switch t.kind {
	case "power":
		if !m.calm() || m.with.local != nil {
			t.kind = ""
		}
	case "cancel", "late":
		if t.kind == "cancel" && !m.with.cancels || t.kind == "late" && !m.with.late {
			t.kind = "fault"
		}
	}
	for i, side := range m.sides {
		t.fired[i] = len(side.Fired())
	}
	switch t.kind {
	case "":
		return t
	case "cancel", "late":
		m.armLine(t)
		return t
	case "fault":
		side := m.sides[rapid.IntRange(0, 1).Draw(m.rt, "side")]
		side.Inject(faultfs.Fault{
			Index:  side.Total() + m.delay(),
			Effect: rapid.SampledFrom([]faultfs.Effect{faultfs.Nothing, faultfs.Whole, faultfs.Part}).Draw(m.rt, "effect"),
			Sticky: rapid.Bool().Draw(m.rt, "sticky"),
		})
		return t
	}
	t.left, t.whole = m.delay(), rapid.Bool().Draw(m.rt, "made")
	leave := m.disk.Crash
	if t.random = rapid.Bool().Draw(m.rt, "some is left"); t.random {
		seed := rapid.Uint64().Draw(m.rt, "seed")
		leave = func() *crashfs.Fs { return m.disk.CrashRandom(seed) }
	}
	die := func() error {
		t.dead = true
		if t.kind == "power" {
			t.after = leave()
		}
		return errKilled
	}
	for _, side := range m.sides {
		side.Before(func(faultfs.Op) error {
			t.mu.Lock()
			defer t.mu.Unlock()
			if t.dead {
				return errKilled
			}
			if t.left--; t.left < 0 && !t.whole {
				return die()
			}
			return nil
		})
		side.After(func(_ faultfs.Op, err error) error {
			t.mu.Lock()
			defer t.mu.Unlock()
			if !t.dead && t.left < 0 {
				return die()
			}
			return err
		})
	}
	return t
}

// delay is a number of operations, more often a small one.
func (m *machine) delay() int {
	most := rapid.SampledFrom([]int{0, 3, 10, 40}).Draw(m.rt, "most")
	return rapid.IntRange(0, most).Draw(m.rt, "operations before")
}

func (m *machine) heal() {
	for _, side := range m.sides {
		side.Heal()
	}
}

// came ends trouble and says whether there was any. What has died, or whose log is broken, is started anew.
func (m *machine) came(t *trouble) bool {
	m.heal()
	if t.kind == "" {
		return false
	}
	t.mu.Lock()
	dead := t.dead
	came := dead || t.line
	t.mu.Unlock()
	m.line.Decide(nil)
	if t.kind == "cancel" || t.after != nil { // the server gets what was sent, before anything else
		m.line.DeliverAll()
	}
	for i, side := range m.sides {
		if fired := side.Fired(); len(fired) > t.fired[i] {
			came = true
			m.rt.Logf("fault at %v", fired[t.fired[i]:])
		}
	}
	switch {
	case dead:
		m.rt.Logf("%s", t.kind)
		for _, side := range m.sides {
			side.Offline(errKilled)
		}
		_ = m.fs.Close()
		m.heal()
		if t.after != nil {
			m.disk = t.after
		}
		m.lostHandles()
		require.NoError(m.rt, m.open())
	case came && m.fs.m.SyncLog() != nil:
		_ = m.fs.Close()
		m.lostHandles()
		require.NoError(m.rt, m.open())
	}
	require.Empty(m.rt, m.store.seen())
	if came {
		m.doubt()
	}
	return came
}

// doubt notes that nothing is known for sure about what the remote has of what is queued.
func (m *machine) doubt() {
	if m.uncertain {
		return
	}
	m.suspect = m.latent || !m.calm()
	m.uncertain = true
}

// calm says whether the other client has changed nothing that is queued, or shown as it was before.
func (m *machine) calm() bool {
	if m.uncertain {
		return !m.suspect
	}
	for _, e := range m.view {
		if e.stale || e.copied != "" && e.copied != e.text { // a change of it would be in conflict
			return false
		}
	}
	return len(m.conflicts(m.store.tree())) == 0
}

// expected requires that an error comes of the trouble there was.
func (m *machine) expected(what string, err error) {
	for _, e := range spread(err) {
		switch {
		case errors.Is(e, faultfs.ErrInjected), errors.Is(e, errKilled), errors.Is(e, fs.ErrClosed),
			errors.Is(e, context.Canceled), errors.Is(e, lateremote.ErrLost):
			require.NotErrorIs(m.rt, e, fs.ErrNotExist, what)
			require.NotErrorIs(m.rt, e, ErrConflict, what)
		default:
			require.Fail(m.rt, "not of the fault", "%s: %v", what, e)
		}
	}
}

// spread are the errors that are joined in one.
func spread(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

// restart ends the Fs and starts another.
func (m *machine) restart() {
	t := m.arm()
	err := m.fs.Close()
	m.lostHandles()
	if err == nil {
		err = m.open()
	}
	if !m.came(t) {
		require.NoError(m.rt, err)
		return
	}
	if err != nil {
		m.expected("restart", err)
		_ = m.fs.Close()
		require.NoError(m.rt, m.open())
	}
	if t.after != nil {
		m.powerLost(t, m.model)
	}
}

// lostHandles gives up the handle that was held, as the end of a process does. Its file is not pushed until it is
// written again.
func (m *machine) lostHandles() {
	if m.held == nil {
		return
	}
	_ = m.held.Close()
	m.held = nil
	if name, ok := m.heldName(); ok {
		e := m.view[name]
		e.open, e.partly = false, true
		m.view[name] = e
	}
}
