package tree

// ActionKind is the kind of a change of the local directory.
type ActionKind uint8

// The kinds of action.
const (
	// RenameLocal renames From to To.
	RenameLocal ActionKind = iota + 1
	// MkdirLocal makes the directory To.
	MkdirLocal
	// RmdirLocal removes the directory From if it is empty.
	RmdirLocal
)

// Action is a change of the local directory that belongs to a transaction. It is made right after the record is
// written. If the process dies in between, the next start makes it. Names are relative to the local root.
type Action struct {
	Kind     ActionKind
	From, To string
	// Ino is the inode number of the file that RenameLocal renames; 0: unknown. The next start uses it to tell that file
	// from another one that was put there since.
	Ino uint64
}
