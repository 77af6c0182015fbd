package faultfs

import "fmt"

// Effect is what a failing operation does before it returns its error.
type Effect int

const (
	// Nothing means that the operation is not carried out.
	Nothing Effect = iota
	// Whole means that the operation is carried out, but the caller can't know. This is a connection that was lost after
	// the server acted.
	Whole
	// Part means that a write puts its first bytes into the file. Other operations are not carried out.
	Part
)

// Fault is a planned failure of an operation.
type Fault struct {
	Index  int    // of the operation that fails
	Err    error  // nil: ErrInjected
	Effect Effect // of the failing operation
	Bytes  int    // with Part: how many bytes are written; 0: half of them
	Sticky bool   // all later operations fail, too, without effect
}

// String returns a name of the fault without its index, such as "once", "sticky", "once-whole" or "sticky-part".
func (f Fault) String() string {
	s := "once"
	if f.Sticky {
		s = "sticky"
	}
	switch f.Effect {
	case Nothing:
	case Whole:
		s += "-whole"
	case Part:
		s += "-part"
	default:
		s += fmt.Sprintf("-effect%d", f.Effect)
	}
	return s
}
