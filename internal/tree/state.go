package tree

import "io/fs"

// ID identifies a node. It is never reused, not even after a restart.
type ID uint64

// Kind is the type of a node. It never changes: an entry of another kind under the same name is another node.
type Kind uint8

// The kinds of node.
const (
	File Kind = iota + 1
	Dir
	Link
)

// KindOf maps a file mode to a kind. Anything but a directory or a symbolic link (such as a device or socket) is a
// File.
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

// Answer is the remote's three-valued answer about a name. Unknown is not Absent.
type Answer uint8

// The answers.
const (
	Unknown Answer = iota
	Absent
	Exists
)

// Content is who owns the local bytes of a file.
type Content uint8

// The states of a file's content. The log holds these numbers.
const (
	// Remote: there are no local bytes.
	Remote Content = iota
	// Owned: the local bytes are a verified copy of the version in Node.Meta (or, if Copy.Stale, in Copy.Version).
	Owned
	// Changed: the local bytes were written by the program or given to Add, and are complete.
	Changed
	// Busy: the local bytes are being written. They are complete when the writer closes or syncs.
	Busy
	// Interrupted: the local bytes were being written when the process died.
	Interrupted
	// Edited: another program has written the local bytes. Copy.Hash is the hash of the copy that they were before (zero
	// if there was none); the node keeps the version of that copy as its base. A Push leaves the file out until Add queues
	// it.
	Edited
)

// Meta is the result of a stat on the remote. Times are nanoseconds since 1970.
type Meta struct {
	Mode  fs.FileMode // type and permission bits
	Size  int64
	MTime int64
}

// SameVersion reports whether two answers describe the same version of a file's content: size and mtime are equal.
func (m Meta) SameVersion(o Meta) bool { return m.Size == o.Size && m.MTime == o.MTime }

// Stamp is the local file system's stat of a file. It tells an edited copy from an untouched one. CTime and Ino are 0
// if the file system does not have them.
type Stamp struct {
	Size  int64
	MTime int64
	CTime int64
	Ino   uint64
}

// Hash is the SHA-256 of a file's content.
type Hash [32]byte

// Copy describes the local bytes of a file.
type Copy struct {
	Stamp   Stamp
	Hash    Hash  // of an owned copy
	Fetched int64 // when an owned copy arrived
	// Boot is the number of the machine's boot in which an owned copy was written or last proven by its hash. In a later
	// one, its bytes may have been lost with the power. 0: they were synced.
	Boot uint32
	set  uint32 // which transition has set it, in this process: the low bits of the count
	// Unsure: when it was fetched, the remote may still have changed the file without changing the version.
	Unsure bool
	// Stale: the remote is known to have another version now; these bytes are only kept until they are replaced.
	Stale bool
	// Added: the bytes are the user's, queued by Add where they lay. Discarding leaves them there.
	Added bool
	// AsIs: Add was the last to queue the file, so it is pushed as it is then. Other changed bytes are pushed only while
	// they are what Stamp says.
	AsIs bool
	// Pinned: it is not evicted for want of room, nor by name.
	Pinned  bool
	passing *passing // nil for most copies, which saves memory
}

// passing is what a copy has only for a while. It is not changed but replaced.
type passing struct {
	version    Meta
	installing string
	prev       *Copy
}

// pass changes what the copy has for a while.
func (c *Copy) pass(change func(*passing)) {
	p := c.pending()
	change(&p)
	c.keep(p)
}

func (c *Copy) keep(p passing) {
	c.passing = nil
	if p != (passing{}) {
		kept := p // nothing is allocated for most copies
		c.passing = &kept
	}
}

func (c Copy) pending() passing {
	if c.passing == nil {
		return passing{}
	}
	return *c.passing
}

// Version is the remote version of a stale copy, and of Prev. Zero: not recorded. That of other copies is Node.Meta.
func (c Copy) Version() Meta { return c.pending().version }

// Of returns the copy as one of a version.
func (c Copy) Of(version Meta) Copy {
	c.pass(func(p *passing) { p.version = version })
	return c
}

// Installing is the local name from which the copy, whole and recorded, is about to be renamed into its place; "" if it is
// there.
func (c Copy) Installing() string { return c.pending().installing }

// From returns the copy as one that is about to be installed from a local name.
func (c Copy) From(name string) Copy {
	c.pass(func(p *passing) { p.installing = name })
	return c
}

// Prev is the copy that is replaced by one that is not known to be in its place; nil if there is none.
func (c Copy) Prev() *Copy { return c.pending().prev }

// Settled returns the copy as one that is in its place.
func (c Copy) Settled() Copy {
	c.pass(func(p *passing) { p.installing, p.prev = "", nil })
	return c
}

// SameBytes reports whether no transition gave the node other bytes between two calls of Copy. The Stamp may not show
// that, because the clock may be too coarse.
func (c Copy) SameBytes(later Copy) bool { return c.set == later.set }

// AttrMask is the set of attributes that an Attr holds.
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

// IntentKind is the kind of a step that must not run twice.
type IntentKind uint8

// The kinds of intent.
const (
	NoIntent IntentKind = iota
	Publish             // rename of a finished upload to its final name
	Move                // rename on the remote
	Erase               // removal on the remote
	Make                // make a directory or symbolic link on the remote
	Reset               // change of the attributes of To on the remote
	Park                // rename on the remote to a place aside, see [Diff.Home]
	Upload              // create a temporary file; only in a Guard, never the intent of a node
	Deliver             // write a file under its final name
)

// Renames reports whether the step moves a node on the remote.
func (k IntentKind) Renames() bool { return k == Move || k == Park }

// Intent is a step that is recorded before its request is sent. From and To are remote paths. Meta is the version that
// the step moves (Publish: the temporary file's, as last seen through its open handle), removes, makes (a directory:
// only the mode) or gives attributes to (Reset: the version before; older logs have only its size). That of Deliver is
// the version that it replaces, zero if there is none.
type Intent struct {
	Kind     IntentKind
	From, To string
	Aside    string // Publish, Move: where the replaced file is kept meanwhile, on a remote whose rename does not replace
	Dir      ID     // the directory of To (Publish, Move, Make, Deliver)
	Meta     Meta
	Hash     Hash  // Publish, Deliver: of the content; Deliver: zero until the file is about to be closed
	Stamp    Stamp // Publish, Deliver: of the uploaded local file
	Attr     Attr  // Reset, Deliver
	// Beginnings are hashes of the beginnings of what is delivered (Deliver; the format belongs to syncfs).
	Beginnings string
}

// puts reports whether the step adds an entry to a directory.
func (i Intent) puts() bool {
	return i.Kind == Publish || i.Kind == Make || i.Kind == Deliver || i.Kind.Renames()
}

// possible reports whether the step has the paths that its kind needs. Only Reset may concern the root.
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
	case Make, Reset, Deliver:
		return to
	}
	return false
}

// Diff holds what is recorded about a node whose view differs from its base.
type Diff struct {
	Seq      uint64 // of the transaction that first touched the node
	Queued   int64
	Attempts int
	Err      string // the last attempt's error
	ErrClass uint8  // the class of that error; the numbers belong to syncfs
	// Dest is what the remote was last known to have under a name that this node took without having it as its base:
	// Absent, or Unknown if the remote was not asked.
	Dest Answer
	// Base is the hash of the content that was changed, if the remote may have got other content since without a new
	// mtime; else nil.
	Base *Hash
	Attr Attr
	// Written is when the changed bytes were written, if Chtimes has set another time since; else 0.
	Written int64
	// Explicit marks a directory that was made while the remote was unreachable: it must exist after a Push.
	Explicit bool
	Intent   *Intent
	Part     *Part
	// Home is where the remote had the node before a Push moved it aside to make way for others; nil: it is not aside.
	Home *Home
}

// Home is a place on the remote; the directory is given by its ID.
type Home struct {
	Dir  ID
	Name string
}

// Part is an upload that has begun.
type Part struct {
	Temp  ID    // the temporary file on the remote
	Stamp Stamp // of the local file that is being sent
	Sent  int64 // bytes from the start that are known to have arrived
	Hash  Hash  // of these bytes
}
