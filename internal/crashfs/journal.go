package crashfs

import "slices"

// entryOp is an operation on names, which is durable whole or not at all.
type entryOp struct {
	edits []edit
	dirs  []*node // the directories it changes or removes
	under []*node // of a rename, the directories on the way to the new name
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

// journal holds, in order, the operations on names that are not on disk.
//
// One depends on the earlier ones that share a directory with it. So a directory
// is not removed on disk before what was in it was moved elsewhere. A rename
// depends also on those that made or moved the directories it leads to: nothing
// is moved on disk to where it could not be found. What is created in a directory
// does not: that one's own name may be lost.
type journal []entryOp

// flush brings to disk all operations on the names in dir and what they depend
// on.
func (j *journal) flush(dir *node) {
	var kept, flushed journal
	shared, placed := nodes{}, nodes{} // that earlier operations are needed for
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

// puts returns the files and directories that it gives a name.
func (op entryOp) puts() (put []*node) {
	for _, e := range op.edits {
		if e.to != nil {
			put = append(put, e.to)
		}
	}
	return put
}

// nodes is a set.
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

// some returns the operations that survive: those that depend on a lost one are
// lost as well, of the others survives says it.
func (j journal) some(survives func() bool) journal {
	var kept journal
	stopped, lost := nodes{}, nodes{} // directories, and what has not got its name
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
