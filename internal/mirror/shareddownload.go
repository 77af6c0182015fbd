package mirror

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/sftpsyncer/go-syncfs/internal/detour"
	"github.com/sftpsyncer/go-syncfs/internal/download"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// sharedDownload is a download of a node's bytes for all who need them. It stands in state.joinable as long as others may
// join.
type sharedDownload struct {
	*download.Download
	m      *FS // bound to the download's context
	node   *tree.Node
	number uint64
	around detour.Detours    // where the file may be instead
	known  tree.Meta         // what the node had when the remote was asked
	after  []<-chan struct{} // closed when what changes the file has ended that was under way when the download began

	// The rest is guarded by state.mu.
	handles int
	waiting int  // who needs all of it
	leaving bool // it was given up, and has not ended
	evicted bool // nothing of it is kept
}

// start begins a download. The mirror is locked.
func (m *FS) start(n *tree.Node) *sharedDownload {
	m.starts++
	m.counted.fetches.Add(1)
	a := &sharedDownload{node: n, number: m.starts, around: detour.Of(m.tree), known: n.Meta, after: m.altering(n)}
	temp := fmt.Sprintf("%016x-%d", uint64(n.ID), a.number) // one that was left may still be writing
	file := download.File{From: n.RemotePath(), Known: n.Meta, Temp: temp}
	a.Download = download.New(m.stop, m.downloads, file, a, a)
	a.m = m.bind(a.Context(), m.meter)
	m.joinable[n.ID] = a
	m.running[a] = struct{}{}
	m.workers.Go(a.Run)
	return a
}

// started has what is fetched from now on get other temporary names than this one.
func (m *state) started(temp string) {
	if _, number, ok := strings.Cut(path.Base(temp), "-"); ok {
		n, _ := strconv.ParseUint(number, 10, 64)
		m.starts = max(m.starts, n)
	}
}

// expectation is what a call knows about the version of a file that it is about to read.
type expectation struct {
	since uint64 // how many downloads had begun when the call began
	meta  tree.Meta
}

// meets says whether a download brings what a call may return. One that began before the call brings what the remote
// had then, which may be older than what it has told the call. The download has begun.
func (a *sharedDownload) meets(e expectation) bool {
	version, _ := a.Version()
	return a.number > e.since || version.SameVersion(e.meta)
}

// join returns a download of the node's bytes that meets the expectation, begun if there is none, to which add has added
// the caller under the lock. There is none if the bytes are present, or the node is gone.
func (m *FS) join(n *tree.Node, e expectation, add func(*sharedDownload)) (*sharedDownload, error) {
	for {
		a, wait, err := m.tryJoin(n, e, add)
		if !wait {
			return a, err
		}
		select { // its version is not known yet
		case <-a.Begun:
		case <-m.ctx.Done():
			return nil, m.ctx.Err()
		}
	}
}

func (m *FS) tryJoin(n *tree.Node, e expectation, add func(*sharedDownload)) (a *sharedDownload, wait bool, err error) {
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
	a = m.joinable[n.ID]
	switch {
	case a == nil:
		a = m.start(n)
	case a.number <= e.since && !a.Begun.Happened():
		return a, true, nil
	case !a.meets(e):
		a = m.start(n) // the other one goes on for its own
	default:
		m.counted.waits.Add(1)
	}
	add(a)
	return a, false, nil
}

// leave takes a user away from a download, which ends if it was the last. What the last handle leaves is completed if
// little is missing.
func (a *sharedDownload) leave(users *int, closing bool) {
	a.m.mu.Lock()
	defer a.m.mu.Unlock()
	if *users--; a.handles > 0 || a.waiting > 0 {
		return
	}
	if closing && a.m.joinable[a.node.ID] == a && a.m.opt.fills(a.progress()) {
		a.Want()
		return
	}
	if !a.Done.Happened() {
		a.Cancel()
	}
	if a.m.joinable[a.node.ID] == a { // who comes later starts anew
		delete(a.m.joinable, a.node.ID)
		a.leaving = true
	}
}

const (
	// smallFill is the size of a file that is always fetched whole, in bytes: about what comes in one round trip, and too
	// little to be kept in part.
	smallFill = 1 << 20
	// mostSettled is how much may be missing of a file that is open and about to be changed by this side for the change
	// to wait until it is here.
	mostSettled = 64 << 20
)

// fills says whether the rest of a file is fetched after its last close.
func (o Options) fills(p download.Progress) bool {
	switch {
	case o.FillAfterClose < 0:
		return false
	case o.FillAfterClose > 0:
		return p.Missing <= o.FillAfterClose
	}
	return p.Size <= smallFill || p.Missing <= p.Here
}

// progress is how far the bytes of a file have come. The mirror is locked.
func (a *sharedDownload) progress() download.Progress {
	if p, known := a.Progress(); known {
		return p
	}
	size := a.node.Meta.Size
	return download.Progress{Size: size, Missing: size}
}

// addHandle adds a handle. The mirror is locked.
func (a *sharedDownload) addHandle() {
	a.handles++
	a.Hold()
}

// awaitClosed waits, if the download is done, until nothing is open any more on the remote.
func (a *sharedDownload) awaitClosed(ctx context.Context) {
	if a.Done.Happened() {
		select {
		case <-a.Closed:
		case <-ctx.Done():
		}
	}
}

// awaitEarlier waits for what those leave that brought the same file and were given up, and for changes of the file.
func (a *sharedDownload) awaitEarlier() error {
	earlier := a.after
	a.m.mu.Lock()
	for b := range a.m.running {
		if b.leaving && b.From() == a.From() && b.number < a.number {
			earlier = append(earlier, b.Left)
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

// stopDownload has what arrives for a node come to nothing.
func (m *state) stopDownload(n *tree.Node) {
	if a := m.joinable[n.ID]; a != nil {
		delete(m.joinable, n.ID)
		a.leaving = true
		a.Abort(download.ErrSuperseded)
	}
}

// handOver has who reads a node's bytes while they arrive see what becomes of them: the node has others under a local name
// now. Should that not work, each handle finds out by itself that it has to read there.
func (m *state) handOver(n *tree.Node, path string) {
	a := m.joinable[n.ID]
	if a == nil {
		return
	}
	if a.handles > 0 {
		if file, err := m.local.OpenFile(path, os.O_RDONLY, 0); err == nil {
			a.HandOver(file)
		}
	}
	m.stopDownload(n)
}
