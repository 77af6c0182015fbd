package mirror

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"time"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/lockorder"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// arrival is one fetch of a node's bytes: of one version, into one temporary file, shared by all who need it. They read
// there as far as it has come. It lasts while a handle or somebody who needs the whole file is there, and stands in
// state.arrivals as long as others may join.
type arrival struct {
	m      *FS // bound to the arrival's own context
	node   *tree.Node
	number uint64
	cancel context.CancelFunc
	from   string            // the path on the remote
	around detours           // and where it may be instead
	known  tree.Meta         // what the node had when the remote was asked
	began  time.Time         // when the first of its bytes was asked for, or before; set before it becomes a copy
	after  []<-chan struct{} // closed when what changes the file has ended that was under way when the arrival began

	handles int  // guarded by state.mu
	waiting int  // who needs all of it; guarded by state.mu
	leaving bool // it was given up, and has not ended; guarded by state.mu
	evicted bool // nothing of it is kept; guarded by state.mu

	opened chan struct{} // closed when the remote has opened the file, or at the end
	begun  chan struct{} // closed when the version is known, and the first bytes are here, or at the end
	wanted chan struct{} // closed when all others are wanted, too
	done   chan struct{} // closed at the end: there is a copy, or there will be none
	left   chan struct{} // closed when what has arrived is a part, or is gone, or at the end
	rest   chan struct{} // closed when nothing is open any more on the remote

	requests sync.WaitGroup // for what is far ahead
	far      *farFiles
	// arrivedFrom is the remote's file once it is whole. Who reads to the end does not wait for it to be closed; who
	// closes the handle does.
	arrivedFrom afero.File

	mu      lockorder.Mutex[arrivalLock] // guards what follows; no I/O is done under it
	news    chan struct{}                // closed, and made anew, when any of it changes
	src     afero.File                   // nil: not open
	meta    tree.Meta                    // of the version; may be read once begun is closed
	file    *localdir.File               // what its handles read: the temporary file, or the node's own
	files   []*localdir.File             // all that it has had
	temp    string                       // name of the temporary file
	into    *localdir.File               // the temporary file
	end     int64                        // where the version ends; of one whose stated size is 0, known once it is whole
	users   int                          // of files: handles, and the arrival itself
	arrived int64                        // bytes in order
	ahead   spans                        // what is here besides
	asked   spans                        // what has been asked for besides
	inOrder bool                         // nothing can be asked for besides
	quiet   bool                         // nothing may be
	state   arrivalState
	err     error // why it failed or was ended
}

type arrivalState uint8

const (
	arriving arrivalState = iota
	whole                 // and of one version
	failed
	given // file is the node's own by now, and may be changed
)

// depart begins an arrival. The mirror is locked.
func (m *FS) depart(n *tree.Node) *arrival {
	ctx, cancel := context.WithCancel(m.stop)
	m.departures++
	m.counted.fetches.Add(1)
	a := &arrival{
		m: m.bind(ctx, m.meter), node: n, number: m.departures, cancel: cancel,
		from: n.RemotePath(), around: m.view().detours(), known: n.Meta, began: m.opt.Now(), after: m.altering(n),
		opened: make(chan struct{}), begun: make(chan struct{}), wanted: make(chan struct{}),
		done: make(chan struct{}), left: make(chan struct{}), rest: make(chan struct{}),
		news: make(chan struct{}), users: 1, far: newFarFiles(),
	}
	m.arrivals[n.ID] = a
	m.running[a] = struct{}{}
	m.workers.Add(1)
	go func() {
		defer m.workers.Done()
		a.run()
	}()
	return a
}

// expectation is what a call knows about the version of a file that it is about to read.
type expectation struct {
	since uint64 // how many arrivals had begun when the call began
	meta  tree.Meta
}

// meets says whether an arrival brings what a call may return. One that began before the call brings what the remote
// had then, which may be older than what it has told the call. The arrival has begun.
func (a *arrival) meets(e expectation) bool {
	meta, _ := a.version()
	return a.number > e.since || meta.SameVersion(e.meta)
}

// version is what arrives. It is not known before the remote has told.
func (a *arrival) version() (meta tree.Meta, known bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.meta, a.src != nil
}

// join returns an arrival of the node's bytes that meets the expectation, begun if there is none, to which add has added
// the caller under the lock. There is none if the bytes are present, or the node is gone.
func (m *FS) join(n *tree.Node, e expectation, add func(*arrival)) (*arrival, error) {
	for {
		a, wait, err := m.tryJoin(n, e, add)
		if !wait {
			return a, err
		}
		select { // its version is not known yet
		case <-a.begun:
		case <-m.ctx.Done():
			return nil, m.ctx.Err()
		}
	}
}

func (m *FS) tryJoin(n *tree.Node, e expectation, add func(*arrival)) (a *arrival, wait bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, false, fs.ErrClosed
	}
	if present(n) || m.tree.Node(n.ID) != n { // since who asked looked
		return nil, false, nil
	}
	if !n.HasBase() { // a log of others may have one such: to look again would find no more
		return nil, false, fs.ErrNotExist
	}
	a = m.arrivals[n.ID]
	switch {
	case a == nil:
		a = m.depart(n)
	case a.number <= e.since && !isClosed(a.begun):
		return a, true, nil
	case !a.meets(e):
		a = m.depart(n) // the other one goes on for its own
	default:
		m.counted.waits.Add(1)
	}
	add(a)
	return a, false, nil
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// leave takes a user away from an arrival, which ends if it was the last. What the last handle leaves is completed if
// little is missing.
func (a *arrival) leave(users *int, closing bool) {
	a.m.mu.Lock()
	defer a.m.mu.Unlock()
	if *users--; a.handles > 0 || a.waiting > 0 {
		return
	}
	if closing && a.m.arrivals[a.node.ID] == a && a.m.opt.fills(a.progress()) {
		a.want()
		return
	}
	if !isClosed(a.done) {
		a.cancel()
	}
	if a.m.arrivals[a.node.ID] == a { // who comes later starts anew
		delete(a.m.arrivals, a.node.ID)
		a.leaving = true
	}
}

const (
	// smallFill is the size of a file that is always fetched whole: about what comes in one round trip, and too little
	// to be kept in part.
	smallFill = leastPartial
	// mostSettled is how much may be missing of a file that is open and about to be changed by this side for the change
	// to wait until it is here.
	mostSettled = 64 << 20
)

// fills says whether the rest of a file is fetched after its last close.
func (o Options) fills(p progress) bool {
	switch {
	case o.FillAfterClose < 0:
		return false
	case o.FillAfterClose > 0:
		return p.missing <= o.FillAfterClose
	}
	return p.size <= smallFill || p.missing <= p.here
}

// progress says how many bytes of a file are here, wherever, and how many are missing at the end of what is here in order.
type progress struct{ size, here, missing int64 }

// progress is what is known of that. The mirror is locked.
func (a *arrival) progress() progress {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !isClosed(a.begun) {
		return progress{size: a.node.Meta.Size, missing: a.node.Meta.Size}
	}
	return progress{a.meta.Size, a.arrived + a.ahead.behind(a.arrived), a.meta.Size - a.arrived}
}

// soFar is how much has arrived in order.
func (a *arrival) soFar() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.arrived
}

// want has all of the file brought, in order.
func (a *arrival) want() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.wantLocked()
}

func (a *arrival) wantLocked() {
	if !isClosed(a.wanted) {
		close(a.wanted)
	}
}

// change changes the state, and tells those who wait.
func (a *arrival) change(do func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	do()
	close(a.news)
	a.news = make(chan struct{})
}

// abort ends the arrival with an error.
func (a *arrival) abort(err error) {
	a.mu.Lock()
	if a.err == nil && a.state == arriving {
		a.err = err
	}
	a.mu.Unlock()
	a.cancel()
}

// run brings the file, and ends the arrival.
func (a *arrival) run() {
	err := a.fetch()
	if err != nil && !errors.Is(err, errNoRoom) {
		a.cancel()
	}
	if err != nil && a.m.stop.Err() != nil {
		err = fs.ErrClosed
	}
	a.m.mu.Lock()
	if a.m.arrivals[a.node.ID] == a {
		delete(a.m.arrivals, a.node.ID)
	}
	delete(a.m.running, a)
	a.m.mu.Unlock()
	a.change(func() {
		if a.err == nil {
			a.err = err
		}
		if a.state == arriving && a.err != nil {
			a.state = failed
		}
		for _, c := range []chan struct{}{a.opened, a.begun, a.done, a.left} {
			if !isClosed(c) {
				close(c)
			}
		}
	})
	if a.arrivedFrom != nil {
		a.far.close()
		_ = a.arrivedFrom.Close()
		a.cancel()
	}
	close(a.rest)
	a.release()
}

// awaitRest waits, if the arrival has ended, until nothing is open any more on the remote.
func (a *arrival) awaitRest(ctx context.Context) {
	if isClosed(a.done) {
		select {
		case <-a.rest:
		case <-ctx.Done():
		}
	}
}

// hold adds a user of the temporary file. The mirror is locked, and others may join the arrival.
func (a *arrival) hold() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.users++
}

// release takes one away.
func (a *arrival) release() {
	a.mu.Lock()
	a.users--
	last := a.users == 0
	a.mu.Unlock()
	if !last {
		return
	}
	a.far.close()
	a.cancel()
	for _, f := range a.files {
		_ = f.Close()
	}
}

// result is what the arrival came to: nil, if there may be a copy now. It has ended.
func (a *arrival) result() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err
}

// awaitEarlier waits for what those leave that brought the same file and were given up, and for changes of the file.
func (a *arrival) awaitEarlier() error {
	earlier := a.after
	a.m.mu.Lock()
	for b := range a.m.running {
		if b.leaving && b.from == a.from && b.number < a.number {
			earlier = append(earlier, b.left)
		}
	}
	a.m.mu.Unlock()
	for _, over := range earlier {
		select {
		case <-over:
		case <-a.m.ctx.Done():
			return a.m.ctx.Err()
		}
	}
	return nil
}

// drop ends the temporary file of an arrival that did not become a copy.
func (a *arrival) drop(t *transfer, err error) {
	defer close(a.left)
	if err != nil {
		a.refuseRequests()
	}
	a.endRequests()
	a.mu.Lock()
	temp, left := a.temp, a.state == given
	if a.err != nil {
		err = a.err
	}
	a.mu.Unlock()
	lost := err == nil || errors.Is(err, ErrChanged) || errors.Is(err, errNoRoom)
	if t != nil && !left && !lost && t.keep() {
		return
	}
	if temp != "" {
		a.m.removeTemp(temp)
	}
	a.m.setTransit(a, 0)
}
