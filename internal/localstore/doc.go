// Package localstore makes the state of a mirror durable: the tree, in a log of transactions, and the changes of names
// in the local directory that belong to it. It does not decide what the state should be, and knows no remote.
//
// # A transaction
//
// [Store.Save] appends the changes of the tree to the log, together with the renames and removals in the local
// directory that belong to them. Then it makes these, and marks each as made. If the process dies in between, Open
// makes the rest. If a step fails, Save restores the previous state.
//
// # Power failure
//
// Save does not sync. [Store.Sync] makes everything that was recorded durable, and runs without the lock of the Store's
// user: it syncs first the directories in which names have changed, then the log. The order matters: if a record were
// durable before the renames that it describes, other bytes would be under its names. For the same reason, a name that
// has lost its bytes must not get others before the record of the loss is durable: after a power failure, they would
// pass for the old bytes (see [Store.Vacated]).
package localstore
