package mirror

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/sftpsyncer/go-syncfs/internal/copies"
	"github.com/sftpsyncer/go-syncfs/internal/detour"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// View is the mirror as one call sees it, under the lock.
type View struct {
	*state
	m     *FS
	known *knowledge
	// exact: the call is about content, so cached listings and cached versions of copies are not enough.
	exact bool
	// insists: a cached absence is not enough, so the remote has to be asked again.
	insists bool
	// toList is the path on the remote of a directory that the call will list; "" if there is none.
	toList string
}

// knowledge is what a call has learned from the remote so far. Most calls learn nothing.
type knowledge struct {
	begun   bool
	epoch   uint64
	since   uint64 // how many downloads had begun
	answers map[string]remote.Answer
	lists   map[string]remote.Listing
	awaited map[string]bool // prefetched listings that the call has waited for
	fetched map[tree.ID]error

	// A change of the remote does not outdate the fields below.
	hashed   map[tree.ID]hashed
	users    map[string]hashed // users' files
	fetches  map[tree.ID]int   // how often each node was fetched
	outdated int               // how often the call dropped the fields above
}

func (k *knowledge) reset(epoch, since uint64) {
	*k = knowledge{begun: true, epoch: epoch, since: since,
		hashed: k.hashed, users: k.users, fetches: k.fetches, outdated: k.outdated}
}

// put assigns to an element of a map, and makes the map if it is nil.
func put[K comparable, V any](m *map[K]V, key K, value V) {
	if *m == nil {
		*m = make(map[K]V)
	}
	(*m)[key] = value
}

// need is the error by which a function on a View asks for what it has to know.
type need struct {
	learn func(*FS, *knowledge) error
	asks  bool // learn only waits for what the remote says about names
}

func (need) Error() string { return "needs an answer of the remote" }

// Do calls decide with a View. If decide returns a need, Do learns it without the lock and calls decide again. When decide
// returns, Do records what it has changed in the tree.
func (m *FS) Do(decide func(*View) error) error { return m.doWith(hints{}, decide) }

// hints are answers of the remote to an earlier part of the same call. They are used once.
type hints struct {
	epoch, since uint64
	answers      map[string]remote.Answer
}

// doWith is Do with hints. They count until this client changes the remote.
func (m *FS) doWith(h hints, decide func(*View) error) error {
	known := &knowledge{}
	if h.answers != nil {
		known.reset(h.epoch, h.since)
		known.answers = h.answers
	}
	stillness := copies.Stillness{Set: m.copies}
	defer stillness.Hold(false)
	for {
		err := m.locked(known, decide)
		var n need
		if !errors.As(err, &n) {
			return err
		}
		stillness.Hold(n.asks && known.outdated >= mostOutdated)
		if err := m.awaited(func() error { return n.learn(m, known) }); err != nil {
			return err
		}
	}
}

// mostOutdated is how often a call drops its answers because this client has changed the remote. From then on it holds back
// further changes while it asks: a Push may make many of them in one round trip.
const mostOutdated = 2

func (m *FS) locked(known *knowledge, decide func(*View) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed() {
		return fs.ErrClosed
	}
	if !known.begun || known.epoch != m.epoch {
		if known.begun {
			known.outdated++
		}
		known.reset(m.epoch, m.copies.Starts())
	}
	v := m.view()
	v.known = known
	err := decide(v)
	var n need
	saveErr := m.save()
	m.copies.MakeRoom()
	if saveErr != nil && (err == nil || errors.As(err, &n)) {
		return saveErr // the need would be about nodes that are gone
	}
	return err
}

// Tree returns the tree. The function that has the View may read and change it until it returns.
func (v *View) Tree() *tree.Tree { return v.tree }

// Save records what was changed in the tree, then makes the actions. After an error nothing has changed. The error may be a
// need.
func (v *View) Save(actions ...tree.Action) error {
	if err := v.lasting(actions); err != nil {
		v.tree.Rollback(false)
		return err
	}
	return v.save(actions...)
}

// RemoteChanged records that this client has changed the remote: other calls have to ask again what they have asked
// before.
func (v *View) RemoteChanged() {
	v.epoch++
	v.lists.Clear(v.Now())
}

// Ask returns the remote's answer about a path. The error is a need.
func (v *View) Ask(name string) (remote.Answer, error) {
	if a, ok := v.known.answers[name]; ok {
		return a, nil
	}
	around, toList := detour.Of(v.tree), v.toList == name && v.limits.Capacity() > 1
	return remote.Answer{}, need{asks: true, learn: func(m *FS, k *knowledge) error {
		var l remote.Listing
		var coming sync.WaitGroup
		if toList {
			coming.Go(func() { l = around.List(m.remote, name) })
		}
		a := around.Ask(m.remote, name)
		coming.Wait()
		if m.ctx.Err() != nil {
			return m.ctx.Err()
		}
		put(&k.answers, name, a)
		m.remember(k, func(now int64) { m.lists.KeepAnswer(name, a, now) })
		if toList && a.Kind == tree.Dir && l.Err == nil {
			m.keepList(k, name, l)
		}
		return nil
	}}
}

// keepList keeps a listing for this call and for others.
func (m *FS) keepList(k *knowledge, name string, l remote.Listing) {
	put(&k.lists, name, l)
	m.remember(k, func(now int64) { m.lists.KeepList(name, l, now) })
}

// list returns the remote's listing of a directory. It may be as old as Options.ListTTL unless the call is exact.
func (v *View) list(name string) (remote.Listing, error) {
	if l, ok := v.known.lists[name]; ok {
		return l, nil
	}
	if !v.exact && !v.writtenIn(name) {
		v.bring(v.lists.Listed(name, v.Now(), v.mostComing()))
		if l, ok := v.lists.List(name, v.Now()); ok {
			put(&v.known.lists, name, l)
			return l, nil
		}
		if came := v.lists.Coming(name); came != nil && !v.known.awaited[name] {
			return remote.Listing{}, v.awaitList(name, came)
		}
	}
	around := detour.Of(v.tree)
	return remote.Listing{}, need{asks: true, learn: func(m *FS, k *knowledge) error {
		l := around.List(m.remote, name)
		if m.ctx.Err() != nil {
			return m.ctx.Err()
		}
		m.keepList(k, name, l)
		return nil
	}}
}

// awaitList waits for a prefetched listing. If the prefetch fails, the call requests the listing itself.
func (v *View) awaitList(name string, came <-chan struct{}) error {
	return need{asks: true, learn: func(m *FS, k *knowledge) error {
		put(&k.awaited, name, true)
		select {
		case <-came:
			return nil
		case <-m.ctx.Done():
			return m.ctx.Err()
		}
	}}
}

// remember keeps what a call has learned for other calls, unless this client has changed the remote meanwhile.
func (m *FS) remember(k *knowledge, keep func(now int64)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if k.epoch == m.epoch {
		keep(m.Now())
	}
}

// maxFetches is how often one call fetches the same file. Other calls may evict or replace the copy before this one looks,
// so it must not give up soon. But a directory that the user has put in the place of the copy never goes away.
const maxFetches = 200

// Fetch returns nil if the node has all its bytes locally. Otherwise the error is a need to download them, or why they can't
// be had.
func (v *View) Fetch(n *tree.Node) error {
	if n.Present() {
		return nil
	}
	if err := remote.Special(n.Meta.Mode); err != nil {
		return err
	}
	if err, ok := v.known.fetched[n.ID]; ok && err != nil {
		return err
	}
	if v.known.fetches[n.ID] == maxFetches {
		return fmt.Errorf("%w: something else is in the place of its copy, or changes it all the time", ErrBusy)
	}
	expected := v.expect(n)
	return need{learn: func(m *FS, k *knowledge) error {
		put(&k.fetches, n.ID, k.fetches[n.ID]+1)
		err := m.copies.Fetch(m.ctx, m.meter, n, expected)
		if m.ctx.Err() != nil {
			return m.ctx.Err()
		}
		put(&k.fetched, n.ID, err)
		return nil
	}}
}

// expect returns what the call expects of a download of a node.
func (v *View) expect(n *tree.Node) copies.Expectation {
	return copies.Expectation{Since: v.known.since, Meta: n.Meta}
}

// view returns a View. m.mu is held.
func (m *FS) view() *View { return &View{state: m.state, m: m} }
