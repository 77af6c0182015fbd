package tree

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

var errTruncated = errors.New("record ends early")

// decoder reads what encoder wrote. It keeps the first error.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) bytes(n uint64) []byte {
	if n > uint64(len(d.b)) {
		d.fail()
		return nil
	}
	b := d.b[:n]
	d.b = d.b[n:]
	return b
}

func (d *decoder) byte() byte {
	if b := d.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) fail() {
	d.b = nil
	if d.err == nil {
		d.err = errTruncated
	}
}

// end returns the first error, or an error if bytes of the record are left.
func (d *decoder) end() error {
	if d.err == nil && len(d.b) > 0 {
		d.err = errors.New("record goes on after its end")
	}
	return d.err
}

func (d *decoder) string() string { return string(d.bytes(d.uint())) }

// id reads an ID. It refuses IDs above maxID, so that later IDs can't overflow.
func (d *decoder) id() ID {
	id := d.uint()
	if id > maxID {
		d.refuse(fmt.Sprintf("the identity %d", id))
	}
	return ID(id)
}

// name reads the name of a directory entry; "" for none.
func (d *decoder) name() string {
	name := d.string()
	if name != "" && !isName(name) {
		d.refuse(fmt.Sprintf("the name %q", name))
	}
	return name
}

// path reads a path that consists of such names; "." for the root, "" for none.
func (d *decoder) path() string {
	p := d.string()
	if p == "" || p == "." {
		return p
	}
	for name := range strings.SplitSeq(p, "/") {
		if !isName(name) {
			d.refuse(fmt.Sprintf("the path %q", p))
		}
	}
	return p
}

// isName reports whether a directory may have an entry of that name. Other names would lead out of the directory.
func isName(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "/\x00")
}

func (d *decoder) refuse(what string) {
	if d.err == nil {
		d.err = fmt.Errorf("record has %s, which cannot be", what)
	}
}

// size reads a number of bytes. A negative size, which no file has, counts as 0.
func (d *decoder) size() int64 { return max(0, d.int()) }

func (d *decoder) hash() (h Hash) {
	copy(h[:], d.bytes(uint64(len(h))))
	return h
}

func (d *decoder) meta() Meta {
	return Meta{Mode: fs.FileMode(d.uint()), Size: d.size(), MTime: d.int()}
}

func (d *decoder) stamp() Stamp {
	return Stamp{Size: d.size(), MTime: d.int(), CTime: d.int(), Ino: d.uint()}
}

func (d *decoder) copy() *Copy {
	return &Copy{Stamp: d.stamp(), Hash: d.hash(), Fetched: d.int()}
}

func (d *decoder) intent() Intent {
	i := Intent{Kind: IntentKind(d.byte()), From: d.path(), To: d.path(), Aside: d.path(), Dir: ID(d.uint()),
		Meta: d.meta(), Hash: d.hash(), Stamp: d.stamp()}
	if i.Kind == Deliver {
		i.Beginnings = d.string()
	}
	if !i.possible() {
		d.refuse(fmt.Sprintf("a step of kind %d from %q to %q", i.Kind, i.From, i.To))
	}
	return i
}

func (d *decoder) attr() Attr {
	a := Attr{Set: AttrMask(d.byte())}
	if a.Set == 0 {
		return a
	}
	return Attr{Set: a.Set, Mode: fs.FileMode(d.uint()) &^ fs.ModeType, UID: int(d.int()), GID: int(d.int()), ATime: d.int(), MTime: d.int()}
}

// state is a node's state before its positions are resolved: they are still IDs.
type state struct {
	node         *Node
	parent, base ID
	baseName     string
}

func (d *decoder) node() state {
	n := &Node{recorded: true}
	n.ID = d.id()
	flags := d.uint()
	n.Kind, n.content, n.Known = Kind(d.byte()), Content(d.byte()), Answer(d.byte())
	s := state{node: n, parent: ID(d.uint())}
	n.Temp = flags&isTemp != 0 && n.Kind == File && s.parent == 0 // others have what Discard would leave where it is
	n.name = d.name()
	s.base = ID(d.uint())
	if s.base != 0 {
		s.baseName = n.name
		if flags&hasBaseName != 0 {
			s.baseName = d.name()
		}
	}
	n.Meta = d.meta()
	if kind := KindOf(n.Meta.Mode); kind != File && kind != n.Kind { // a link that looks like a directory would be walked
		n.Meta.Mode = n.Meta.Mode.Perm()
	}
	n.Checked = d.int()
	if flags&hasTarget != 0 {
		n.SetTarget(d.string())
	}
	if flags&hasCopy != 0 {
		n.copied = d.copy()
		n.copied.Unsure, n.copied.Stale = flags&isUnsure != 0, flags&isStale != 0
		n.copied.Added, n.copied.Pinned = flags&isAdded != 0, flags&isPinned != 0
		n.copied.AsIs = flags&isAsIs != 0
		var p passing
		if flags&isInstalling != 0 {
			p.installing = d.path()
		}
		if flags&hasPrev != 0 {
			p.prev = d.copy()
			if flags&hasPrevVersion != 0 {
				*p.prev = p.prev.Of(d.meta())
			}
		}
		if flags&hasVersion != 0 {
			if version := d.meta(); n.copied.Stale { // else it is that of the node
				p.version = version
			}
		}
		if flags&hasBoot != 0 {
			n.copied.Boot = uint32(d.uint())
		}
		if flags&hasPrevBoot != 0 {
			if boot := uint32(d.uint()); p.prev != nil {
				p.prev.Boot = boot
			}
		}
		n.copied.keep(p)
	}
	if flags&hasDiff != 0 {
		n.Diff = &Diff{Seq: d.uint(), Queued: d.int(), Attempts: int(d.uint()), Err: d.string(),
			ErrClass: d.byte(), Dest: Answer(d.byte()), Explicit: flags&isExplicit != 0}
		n.Diff.Attr = d.attr()
		if flags&hasIntent != 0 {
			i := d.intent()
			if flags&hasIntentAttr != 0 {
				i.Attr = d.attr()
			} else if i.Kind == Reset { // older records have only the time
				i.Attr = Attr{Set: AttrTimes, ATime: i.Meta.MTime, MTime: i.Meta.MTime}
			}
			n.Diff.Intent = &i
		}
		if flags&hasBaseHash != 0 {
			h := d.hash()
			n.Diff.Base = &h
		}
		if flags&hasPart != 0 {
			n.Diff.Part = &Part{Temp: ID(d.uint()), Stamp: d.stamp(), Sent: d.size(), Hash: d.hash()}
		}
		if flags&hasWritten != 0 {
			n.Diff.Written = d.int()
		}
		if flags&hasHome != 0 {
			n.Diff.Home = &Home{Dir: ID(d.uint()), Name: d.name()}
		}
	}
	if d.err == nil && (n.ID == 0 || n.Kind < File || n.Kind > Link || n.content > Edited || n.Known > Exists ||
		n.content != Remote && n.Kind != File || (n.content == Owned || n.content == Edited) && n.copied == nil) {
		d.err = fmt.Errorf("record has an impossible state for node %d", n.ID)
	}
	return s
}

// peekLen returns the length that the next list claims to have.
func (d *decoder) peekLen() uint64 {
	v, _ := binary.Uvarint(d.b)
	return v
}
