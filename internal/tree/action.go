package tree

// ActionKind names a change of the local directory.
type ActionKind uint8

// The kinds of action.
const (
	// RenameLocal moves From to To.
	RenameLocal ActionKind = iota + 1
	// MkdirLocal makes the directory To.
	MkdirLocal
	// RmdirLocal removes the directory From if it is empty.
	RmdirLocal
)

// Action is a change of the local directory that belongs to a transaction and is made right after its record, so
// that a process that died in between can make it on the next start. Names are relative to the local root.
type Action struct {
	Kind     ActionKind
	From, To string
	// Ino is the inode number of what RenameLocal renames; 0: not known. On the next start it tells that from
	// something else that was put there since.
	Ino uint64
}
