// Package tree is the core that cachefs and syncfs share. It holds the nodes that this side knows something about, who
// owns the local bytes of each, and the difference between the program's view and the remote. It does no I/O.
//
// # Two positions
//
// A node has an identity and two positions: the view, where the program sees it, and the base, where the remote has it.
// Each position is a parent node and a name. So moving a directory moves everything below it in one step, on either
// side. A node with
//
//   - both positions at the same place is on the remote where the program sees it,
//   - both positions at different places is renamed,
//   - only a view was made on this side,
//   - only a base was removed on this side.
//
// A directory with a base shows its nodes and all other entries that the remote has in it. A directory without a base
// shows only its nodes. Names that were never used are not in memory.
//
// The queue is the difference between the two positions, plus changed contents and attributes. So a change that was
// undone leaves nothing in the queue. [Tree.Plan] orders the queue into steps that turn the remote into the view.
//
// # State
//
// [Tree.Take] encodes the changed nodes as one transaction, and [Replay] rebuilds a tree from transactions. A record
// holds the whole state of a node, so replaying a prefix of the log gives a state that existed.
//
// A Tree is not safe for concurrent use. Its owner guards it with one mutex.
package tree
