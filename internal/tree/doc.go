// Package tree is the core that cachefs and syncfs share: the nodes that this side knows something about, who owns
// the local bytes of each, and how what the program sees differs from what the remote has. It does no I/O.
//
// # Two positions
//
// A node has an identity of its own and two positions: where the program sees it (the view) and where the remote
// has it (the base). Each position is a parent node and a name, so that moving a directory moves all that is below
// it in one step, on either side. A node
//
//   - with both positions the same is on the remote where the program sees it,
//   - with both, but different, is renamed,
//   - with only a view is made on this side,
//   - with only a base is removed on this side.
//
// A directory with a base shows, besides its nodes, whatever the remote has in it; one without shows only its
// nodes. What nobody touched is not in memory.
//
// The queue is nothing but the difference between the two positions (and contents and attributes): what was undone
// is no difference. [Tree.Plan] orders it into steps that turn the remote into the view.
//
// # State
//
// [Tree.Take] encodes what changed as one transaction of node states, and [Replay] rebuilds a tree from
// transactions. A record holds a node's whole state, so replaying a prefix gives a state that existed.
//
// A Tree is not safe for concurrent use; its owner holds one mutex around it.
package tree
