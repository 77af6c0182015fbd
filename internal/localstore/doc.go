// Package localstore makes the state of a mirror last: the tree, in a log of transactions, and the names in the local directory
// that belong to it. It decides nothing about what the state should be, and knows no remote.
//
// # A transaction
//
// [Store.Save] appends what was changed in the tree to the log, with the renames and removals in the local directory that belong
// to it. Then it makes these, and marks each as made. If the process dies in between, Open makes the rest. If something fails,
// all is as it was.
//
// # The loss of power
//
// Save syncs nothing. [Store.Sync] makes what was recorded last, and is called without the lock of the Store's user: first the
// directories in which names have changed, then the log. A record that lasts longer than the names it tells of would have
// other bytes under them; a name that gets other bytes before the record of their loss lasts would have them pass for the old
// ones (see [Store.Vacated]).
package localstore
