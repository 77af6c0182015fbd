package tree

import "io/fs"

// ID identifies a node for ever: it is never used again, also not after a restart.
type ID uint64

// Kind is what a node is. It never changes: another kind under the same name is another node.
type Kind uint8

// The kinds of node.
const (
	File Kind = iota + 1
	Dir
	Link
)

// KindOf maps a file mode to a kind. Whatever is neither a directory nor a link (devices, sockets) counts as a file.
func KindOf(mode fs.FileMode) Kind {
	switch {
	case mode.IsDir():
		return Dir
	case mode&fs.ModeSymlink != 0:
		return Link
	default:
		return File
	}
}

// Answer is the three-valued answer of the remote about a name. Unknown is not Absent.
type Answer uint8

// The answers.
const (
	Unknown Answer = iota
	Absent
	Exists
)

// Content says who owns the local bytes of a file.
type Content uint8

// The states of a file's content. Their numbers are in logs.
const (
	// Remote: there are no local bytes.
	Remote Content = iota
	// Owned: the local bytes are a verified copy of the version in Node.Meta (or, if Copy.Stale, in Copy.Version).
	Owned
	// Changed: the local bytes were written by the program or given to Add, and are complete.
	Changed
	// Busy: the local bytes are being written; they are complete once the writer closes or syncs.
	Busy
	// Interrupted: the local bytes were being written when the process died.
	Interrupted
	// Edited: another program has written the local bytes. Copy.Hash is that of the copy that they were (zero if there
	// was none), whose version the node keeps as its base. Nothing of it is pushed before the file is given to Add.
	Edited
)

// Meta is what a stat of the remote shows. Times are nanoseconds since 1970.
type Meta struct {
	Mode  fs.FileMode // permission bits and the kind
	Size  int64
	MTime int64
}

// SameVersion says whether two answers are about the same version of a file's content: size and mtime are equal.
func (m Meta) SameVersion(o Meta) bool { return m.Size == o.Size && m.MTime == o.MTime }

// Stamp is what the local file system says about a local file; it tells an edit from an untouched copy. CTime and
// Ino are 0 where the file system has none.
type Stamp struct {
	Size  int64
	MTime int64
	CTime int64
	Ino   uint64
}

// Hash is the SHA-256 of a content.
type Hash [32]byte

// Copy describes the local bytes of a file.
type Copy struct {
	Stamp   Stamp
	Hash    Hash  // of an owned copy
	Fetched int64 // when an owned copy arrived
	// Unsure: when it was fetched, the remote may still have changed the file without changing the version.
	Unsure bool
	// Stale: the remote is known to have another version now; these bytes are only kept until they are replaced.
	Stale bool
	// Version is the remote version of a stale copy, and of Prev. Zero: not recorded. That of other copies is Node.Meta.
	Version Meta
	// Added: the bytes are the user's, queued by Add where they lay. Discarding leaves them there.
	Added bool
	// AsIs: Add was the last to queue the file, so it is pushed as it is then. Other changed bytes are pushed only while
	// they are what Stamp says.
	AsIs bool
	// Pinned: it is not evicted for want of room, nor by name.
	Pinned bool
	// Installing is the local name from which the copy, whole and recorded, is about to be renamed into its place. Until it
	// is known to be there, Prev is the copy that it replaces, if any.
	Installing string
	Prev       *Copy
	set        uint64 // which transition has set it, in this process
}

// SameBytes says whether no transition has given the node other bytes between two looks at its Copy. A clock may be too
// coarse to show that in the Stamp.
func (c Copy) SameBytes(later Copy) bool { return c.set == later.set }

// AttrMask says which attributes of an Attr are set.
type AttrMask uint8

// The attributes.
const (
	AttrMode AttrMask = 1 << iota
	AttrOwner
	AttrTimes
)

// Attr holds attributes that were set on this side and not yet on the remote.
type Attr struct {
	Set          AttrMask
	Mode         fs.FileMode
	UID, GID     int
	ATime, MTime int64
}

// IntentKind names a step that must not run twice.
type IntentKind uint8

// The kinds of intent.
const (
	NoIntent IntentKind = iota
	Publish             // rename of a finished upload over its final name
	Move                // rename on the remote
	Erase               // removal on the remote
	Make                // making of a directory or link on the remote
	Reset               // change of the attributes of To on the remote
	Park                // rename on the remote to a place aside, see [Diff.Home]
	Upload              // making of a temporary file; never an intent of a node, only a Guard
)

// Renames says whether the step moves a node on the remote.
func (k IntentKind) Renames() bool { return k == Move || k == Park }

// Intent is a step that was about to be sent. From and To are remote paths; Meta is the version the step moves
// (Publish: of the temporary file as its open handle showed it last), removes, makes (only the mode, of a directory) or
// gives attributes to (Reset: as it was before; older logs have only the size).
type Intent struct {
	Kind     IntentKind
	From, To string
	Aside    string // Publish, Move: where what is replaced is kept meanwhile, on a remote that does not replace
	Dir      ID     // of the directory of To (Publish, Move, Make)
	Meta     Meta
	Hash     Hash
	Stamp    Stamp // Publish: of the local file whose bytes were uploaded
	Attr     Attr  // Reset
}

// puts says whether a step puts something into a directory.
func (i Intent) puts() bool { return i.Kind == Publish || i.Kind == Make || i.Kind.Renames() }

// possible says whether a step has the paths that one of its kind has. Of the root only the attributes are changed.
func (i Intent) possible() bool {
	from, to := i.From != "", i.To != ""
	if i.From == "." || i.Aside == "." || i.To == "." && (i.Kind != Reset || i.Aside != "") {
		return false
	}
	switch i.Kind {
	case Publish, Move, Park:
		return from && to
	case Erase, Upload:
		return from
	case Make, Reset:
		return to
	}
	return false
}

// Diff is what is kept about a node whose view differs from its base.
type Diff struct {
	Seq      uint64 // of the transaction that first touched the node
	Queued   int64
	Attempts int
	Err      string // of the last attempt
	ErrClass uint8  // what kind of error that was; the numbers are the user's
	// Dest is what the remote was last known to have under a name that this node took without having it as its
	// base: Absent, or Unknown when nobody was asked.
	Dest Answer
	// Base is the content that the change was made to, if another one may have come to the remote since without its
	// mtime showing it; else nil.
	Base *Hash
	Attr Attr
	// Written is when the changed bytes were written, if Chtimes has set another time since; else 0.
	Written int64
	// Explicit marks a directory that was made while the remote gave no answer: it has to exist after a push.
	Explicit bool
	Intent   *Intent
	Part     *Part
	// Home is where the remote had the node before a push moved it aside, to let others pass; nil: it is not aside.
	Home *Home
}

// Home is a place on the remote, by identity.
type Home struct {
	Dir  ID
	Name string
}

// Part is an upload that has begun.
type Part struct {
	Temp  ID    // of the file that the upload fills on the remote
	Stamp Stamp // of the local bytes that are being sent
	Sent  int64 // how many of them, from the start, are known to have arrived
	Hash  Hash  // of these
}
