package copies

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
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// shared is a download that all readers of a node share. It is in Set.joinable as long as others may join it.
type shared struct {
	*download.Download
	set    *Set
	remote *remote.Remote // bound to the context of the download
	node   *tree.Node
	number uint64
	around detour.Detours    // renames in doubt when the download began
	known  tree.Meta         // the node's version when the download began
	after  []<-chan struct{} // closed when the changes of the file end that were under way when the download began

	// Lock guards the rest.
	handles int
	waiting int  // callers that need the whole file
	leaving bool // abandoned, and not ended yet
	evicted bool // nothing of it may be kept
}

// start begins a download. Lock is held.
func (set *Set) start(n *tree.Node) *shared {
	set.starts++
	set.Counted.Fetches.Add(1)
	a := &shared{set: set, node: n, number: set.starts, around: detour.Of(set.tree), known: n.Meta, after: set.altering(n)}
	temp := fmt.Sprintf("%016x-%d", uint64(n.ID), a.number) // an abandoned download of the node may still be writing
	file := download.File{From: n.RemotePath(), Known: n.Meta, Temp: temp}
	a.Download = download.New(set.Until, set.downloads, file, a, a)
	a.remote = set.Remote.Bind(a.Context())
	set.joinable[n.ID] = a
	set.running[a] = true
	set.Go(a.Run)
	return a
}

// Started keeps later downloads from using a temporary name again.
func (set *Set) Started(temp string) {
	if _, number, ok := strings.Cut(path.Base(temp), "-"); ok {
		n, _ := strconv.ParseUint(number, 10, 64)
		set.starts = max(set.starts, n)
	}
}

// Expectation is what a call knows about the file that it is about to read.
type Expectation struct {
	Since uint64    // Starts when the call began
	Meta  tree.Meta // the version that the remote has told the call
}

// Starts returns how many downloads have begun. Lock is held.
func (set *Set) Starts() uint64 { return set.starts }

// meets reports whether a call may use a download. A download that began before the call may bring an older version than the
// remote has told the call. The version of the download is known.
func (a *shared) meets(e Expectation) bool {
	version, _ := a.Version()
	return a.number > e.Since || version.SameVersion(e.Meta)
}

// join returns a download of the node that meets the Expectation, and begins one if there is none. add, called with Lock
// held, adds the caller to it. join returns nil if the node's bytes are present, or the node is gone.
func (set *Set) join(ctx context.Context, n *tree.Node, e Expectation, add func(*shared)) (*shared, error) {
	for {
		a, wait, err := set.tryJoin(n, e, add)
		if !wait {
			return a, err
		}
		select { // its version is not known yet
		case <-a.Begun:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (set *Set) tryJoin(n *tree.Node, e Expectation, add func(*shared)) (a *shared, wait bool, err error) {
	set.Lock.Lock()
	defer set.Lock.Unlock()
	if set.Until.Err() != nil {
		return nil, false, fs.ErrClosed
	}
	if n.Present() || set.tree.Node(n.ID) != n { // since the caller looked
		return nil, false, nil
	}
	if !n.HasBase() { // a foreign log may have such a node: looking again would not help
		return nil, false, fs.ErrNotExist
	}
	a = set.joinable[n.ID]
	switch {
	case a == nil:
		a = set.start(n)
	case a.number <= e.Since && !a.Begun.Happened():
		return a, true, nil
	case !a.meets(e):
		a = set.start(n) // the other download goes on for its own users
	default:
		set.Counted.Waits.Add(1)
	}
	add(a)
	return a, false, nil
}

// leave removes a user from a download. Without users the download ends, unless the last one closes its handle and little is
// missing: then it goes on to the end.
func (a *shared) leave(users *int, closing bool) {
	a.set.Lock.Lock()
	defer a.set.Lock.Unlock()
	if *users--; a.handles > 0 || a.waiting > 0 {
		return
	}
	if closing && a.set.joinable[a.node.ID] == a && a.set.fills(a.progress()) {
		a.Want()
		return
	}
	if !a.Done.Happened() {
		a.Cancel()
	}
	a.leaving = a.unjoin() || a.leaving // later callers start a new download
}

// unjoin prevents others from joining the download. It reports whether they could before. Lock is held.
func (a *shared) unjoin() bool {
	if a.set.joinable[a.node.ID] != a {
		return false
	}
	delete(a.set.joinable, a.node.ID)
	return true
}

const (
	// smallFill is the size in bytes up to which a file is always fetched whole: about what arrives in one round trip,
	// and too little to be kept in part.
	smallFill = 1 << 20
	// mostSettled bounds the bytes that may be missing of an open file for a change by this client to wait for them.
	mostSettled = 64 << 20
)

// fills reports whether the rest of a file is downloaded after its last close.
func (o *Options) fills(p download.Progress) bool {
	switch {
	case o.FillAfterClose < 0:
		return false
	case o.FillAfterClose > 0:
		return p.Missing <= o.FillAfterClose
	}
	return p.Size <= smallFill || p.Missing <= p.Here
}

// progress returns how much of the file has arrived. Lock is held.
func (a *shared) progress() download.Progress {
	if p, known := a.Progress(); known {
		return p
	}
	size := a.node.Meta.Size
	return download.Progress{Size: size, Missing: size}
}

// addHandle adds a handle. Lock is held.
func (a *shared) addHandle() {
	a.handles++
	a.Hold()
}

// awaitClosed waits until the remote's files of a finished download are closed.
func (a *shared) awaitClosed(ctx context.Context) {
	if a.Done.Happened() {
		select {
		case <-a.Closed:
		case <-ctx.Done():
		}
	}
}

// awaitEarlier waits until abandoned downloads of the same file have left their partial files, and until changes of the file
// have ended.
func (a *shared) awaitEarlier() error {
	earlier := a.after
	a.set.Lock.Lock()
	for b := range a.set.running {
		if b.leaving && b.From() == a.From() && b.number < a.number {
			earlier = append(earlier, b.Left)
		}
	}
	a.set.Lock.Unlock()
	for _, over := range earlier {
		select {
		case <-over:
		case <-a.Context().Done():
			return a.Context().Err()
		}
	}
	return nil
}

// Stop ends the download of a node; nothing of it becomes the node's copy. Lock is held.
func (set *Set) Stop(n *tree.Node) {
	if a := set.joinable[n.ID]; a != nil {
		a.leaving = a.unjoin()
		a.Abort(download.ErrSuperseded)
	}
}

// HandOver ends the download of a node that has other bytes now, in the local file path. Streams continue with these. If the
// file can't be opened here, each stream opens it by itself. Lock is held.
func (set *Set) HandOver(n *tree.Node, path string) {
	a := set.joinable[n.ID]
	if a == nil {
		return
	}
	if a.handles > 0 {
		if file, err := set.Local.OpenFile(path, os.O_RDONLY, 0); err == nil {
			a.HandOver(file)
		}
	}
	set.Stop(n)
}

// Joinable reports whether a node has a download that others may join. Lock is held.
func (set *Set) Joinable(n *tree.Node) bool { return set.joinable[n.ID] != nil }

// Arrived returns how many bytes of a node without a copy have arrived: those of its download, if arriving, else those of a
// partial file. Lock is held.
func (set *Set) Arrived(n *tree.Node) (bytes int64, arriving bool) {
	if a := set.joinable[n.ID]; a != nil && !n.Present() {
		return a.Arrived(), true
	}
	if part := set.ledger.Partial(n.RemotePath()); part != nil && n.Content() == tree.Remote {
		return part.Length, false
	}
	return 0, false
}

// Await waits for the end of a node's download, if there is one.
func (set *Set) Await(ctx context.Context, n *tree.Node) error {
	set.Lock.Lock()
	a := set.joinable[n.ID]
	set.Lock.Unlock()
	if a == nil {
		return nil
	}
	select {
	case <-a.Done: // the caller looks again
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
