package tree

import (
	"encoding/binary"
)

// encoder writes node states: integers as varints, strings after their length, hashes raw.
type encoder struct{ b []byte }

func (e *encoder) uint(v uint64)   { e.b = binary.AppendUvarint(e.b, v) }
func (e *encoder) int(v int64)     { e.b = binary.AppendVarint(e.b, v) }
func (e *encoder) hash(h Hash)     { e.b = append(e.b, h[:]...) }
func (e *encoder) string(s string) { e.uint(uint64(len(s))); e.b = append(e.b, s...) }

func (e *encoder) id(n *Node) {
	if n == nil {
		e.uint(0)
		return
	}
	e.uint(uint64(n.ID))
}

func (e *encoder) meta(m Meta) {
	e.uint(uint64(m.Mode))
	e.int(m.Size)
	e.int(m.MTime)
}

func (e *encoder) stamp(s Stamp) {
	e.int(s.Size)
	e.int(s.MTime)
	e.int(s.CTime)
	e.uint(s.Ino)
}

func (e *encoder) copy(c *Copy) {
	e.stamp(c.Stamp)
	e.hash(c.Hash)
	e.int(c.Fetched)
}

func (e *encoder) intent(i *Intent) {
	e.b = append(e.b, byte(i.Kind))
	e.string(i.From)
	e.string(i.To)
	e.string(i.Aside)
	e.uint(uint64(i.Dir))
	e.meta(i.Meta)
	e.hash(i.Hash)
	e.stamp(i.Stamp)
	if i.Kind == Deliver {
		e.string(i.Beginnings)
	}
}

func (e *encoder) attr(a Attr) {
	e.b = append(e.b, byte(a.Set))
	if a.Set != 0 {
		e.uint(uint64(a.Mode))
		e.int(int64(a.UID))
		e.int(int64(a.GID))
		e.int(a.ATime)
		e.int(a.MTime)
	}
}

// What follows the fixed part of a node's state.
const (
	hasTarget uint64 = 1 << iota
	hasCopy
	hasDiff
	hasIntent
	isUnsure
	isStale
	isAdded
	isExplicit
	hasBaseName
	hasPrev
	_ // of a copy that was being installed from where is not recorded
	isTemp
	hasPart
	hasBaseHash
	hasWritten
	isPinned
	isInstalling
	hasIntentAttr
)

const (
	hasVersion     uint64 = 1 << 20 // of a stale copy
	hasPrevVersion uint64 = 1 << 21
	isAsIs         uint64 = 1 << 23
	hasBoot        uint64 = 1 << 24 // of a copy that was not synced
	hasPrevBoot    uint64 = 1 << 25
	hasHome        uint64 = 1 << 26
)

func flag(bit uint64, set bool) uint64 {
	if set {
		return bit
	}
	return 0
}

func (e *encoder) node(n *Node) {
	c, d := n.copied, n.Diff
	var p passing
	if c != nil {
		p = c.pending()
	}
	e.uint(uint64(n.ID))
	e.uint(flag(hasTarget, n.Target() != "") | flag(hasCopy, c != nil) | flag(hasDiff, d != nil) |
		flag(hasIntent, d != nil && d.Intent != nil) |
		flag(hasIntentAttr, d != nil && d.Intent != nil && d.Intent.Attr.Set != 0) | flag(isUnsure, c != nil && c.Unsure) |
		flag(isStale, c != nil && c.Stale) | flag(isAdded, c != nil && c.Added) | flag(isPinned, c != nil && c.Pinned) |
		flag(isAsIs, c != nil && c.AsIs) |
		flag(isInstalling, p.installing != "") | flag(hasPrev, p.prev != nil) |
		flag(hasBoot, c != nil && c.Boot != 0) | flag(hasPrevBoot, p.prev != nil && p.prev.Boot != 0) |
		flag(hasVersion, c != nil && c.Stale) | flag(hasPrevVersion, p.prev != nil) |
		flag(isExplicit, d != nil && d.Explicit) | flag(isTemp, n.Temp) | flag(hasPart, d != nil && d.Part != nil) |
		flag(hasHome, n.Parked()) | flag(hasBaseHash, d != nil && d.Base != nil) | flag(hasWritten, d != nil && d.Written != 0) |
		flag(hasBaseName, n.base != nil && (n.base != n.parent || n.renamed)))
	e.b = append(e.b, byte(n.Kind), byte(n.content), byte(n.Known))
	e.id(n.parent)
	e.string(n.name)
	e.id(n.base)
	if n.base != nil && (n.base != n.parent || n.renamed) { // else it is the same
		e.string(n.baseName())
	}
	e.meta(n.Meta)
	e.int(n.Checked)
	if n.Target() != "" {
		e.string(n.Target())
	}
	if c != nil {
		e.copy(c)
		if p.installing != "" {
			e.string(p.installing)
		}
		if p.prev != nil {
			e.copy(p.prev)
			e.meta(p.prev.Version())
		}
		if c.Stale {
			e.meta(p.version)
		}
		if c.Boot != 0 {
			e.uint(uint64(c.Boot))
		}
		if p.prev != nil && p.prev.Boot != 0 {
			e.uint(uint64(p.prev.Boot))
		}
	}
	if d == nil {
		return
	}
	e.uint(d.Seq)
	e.int(d.Queued)
	e.uint(uint64(d.Attempts))
	e.string(d.Err)
	e.b = append(e.b, d.ErrClass, byte(d.Dest))
	e.attr(d.Attr)
	if i := d.Intent; i != nil {
		e.intent(i)
		if i.Attr.Set != 0 {
			e.attr(i.Attr)
		}
	}
	if d.Base != nil {
		e.hash(*d.Base)
	}
	if p := d.Part; p != nil {
		e.uint(uint64(p.Temp))
		e.stamp(p.Stamp)
		e.int(p.Sent)
		e.hash(p.Hash)
	}
	if d.Written != 0 {
		e.int(d.Written)
	}
	if d.Home != nil {
		e.uint(uint64(d.Home.Dir))
		e.string(d.Home.Name)
	}
}
