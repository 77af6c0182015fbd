package tree

// ActionKind names a change of the local directory.
type ActionKind uint8

// The kinds of action.
const (
	// RenameLocal moves From to To.
	RenameLocal ActionKind = iota + 1
	// MkdirLocal makes the directory To.
	MkdirLocal
)

// Action is a change of the local directory that belongs to a transaction and is made right after its record, so
// that a process that died in between can make it on the next start. Names are relative to the local root.
type Action struct {
	Kind     ActionKind
	From, To string
}
