// Package copies keeps the local copies of the remote's files: it downloads them, gives them their names, counts their bytes,
// and evicts them. It knows the nodes of the tree, but not how names are resolved, nor when a copy has to be compared with
// the remote.
//
// # Sharing
//
// All callers that need a file share one download ([Set.Fetch], [Set.Open]). It stands for a node, not for a name. A
// [Stream] reads what has arrived so far. When all has arrived, Install makes it the node's copy, if the node still
// wants it.
//
// # Locks
//
// A Set has no lock of its own: it shares that of the tree, Options.Lock. The comment of each method tells whether it
// is called with that lock held. Neither network I/O nor an fsync is done under it.
package copies
