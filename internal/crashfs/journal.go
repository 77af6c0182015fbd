package crashfs

import "slices"

// entryOp is an operation on names, which becomes durable as a whole or not at all.
type entryOp struct {
	edits []edit
	dirs  []*node // the directories that it changes or removes
	under []*node // of a rename: the directories on the path to the new name
}

// edit sets one name of a directory to a node, or removes it.
type edit struct {
	dir  *node
	name string
	to   *node // nil: removed
}

func (e edit) apply(entries map[string]*node) {
	if e.to == nil {
		delete(entries, e.name)
	} else {
		entries[e.name] = e.to
	}
}

// journal holds the operations on names that are not on disk, in order.
//
// An operation depends on the earlier ones that share a directory with it. So a directory is not removed on disk before
// its entries have been moved out. A rename also depends on the operations that made or moved the directories of the
// new name: nothing is moved on disk to a place where it can't be found. A creation does not depend on these: the name
// of its directory may be lost.
type journal []entryOp

// flush brings all operations on the names in dir to disk, and the operations that they depend on.
func (j *journal) flush(dir *node) {
	var kept, flushed journal
	shared, placed := nodes{}, nodes{} // nodes for which earlier operations are needed
	for _, op := range slices.Backward(*j) {
		if !op.changes(dir) && !shared.any(op.dirs) && !placed.any(op.puts()) {
			kept = append(kept, op)
			continue
		}
		flushed = append(flushed, op)
		shared.add(op.dirs)
		placed.add(op.under)
	}
	for _, op := range slices.Backward(flushed) {
		op.toDisk()
	}
	slices.Reverse(kept)
	*j = kept
}

// changes reports whether the operation is on a name in dir.
func (op entryOp) changes(dir *node) bool {
	return slices.ContainsFunc(op.edits, func(e edit) bool { return e.dir == dir })
}

// puts returns the files and directories that get a name.
func (op entryOp) puts() (put []*node) {
	for _, e := range op.edits {
		if e.to != nil {
			put = append(put, e.to)
		}
	}
	return put
}

// nodes is a set of nodes.
type nodes map[*node]bool

func (s nodes) add(list []*node) {
	for _, n := range list {
		s[n] = true
	}
}

func (s nodes) any(list []*node) bool {
	return slices.ContainsFunc(list, func(n *node) bool { return s[n] })
}

// flushAll brings all operations to disk.
func (j *journal) flushAll() {
	for _, op := range *j {
		op.toDisk()
	}
	*j = nil
}

func (op entryOp) toDisk() {
	for _, e := range op.edits {
		e.apply(e.dir.diskEntries)
	}
}

// some returns the operations that survive. An operation that depends on a lost one is lost, too; survives decides
// about the others.
func (j journal) some(survives func() bool) journal {
	var kept journal
	stopped, lost := nodes{}, nodes{} // directories of lost operations, and nodes that have not got their names
	for _, op := range j {
		if stopped.any(op.dirs) || lost.any(op.under) || !survives() {
			stopped.add(op.dirs)
			lost.add(op.puts())
			continue
		}
		kept = append(kept, op)
	}
	return kept
}
