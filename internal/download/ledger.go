package download

import (
	"path"
	"strings"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Ledger counts the bytes that are on disk but not in a copy: those that downloads have reserved, and the partial files
// of downloads that were cut off. It is not safe for concurrent use.
type Ledger struct {
	local    *localdir.Dir
	partials map[string]*Partial // by path on the remote
	held     map[any]int64       // by *Download and *Partial
	sum      tree.Sum
}

// NewLedger returns an empty Ledger.
func NewLedger(local *localdir.Dir) *Ledger {
	return &Ledger{local: local, partials: map[string]*Partial{}, held: map[any]int64{}}
}

// Sum returns how many bytes there are or are reserved.
func (l *Ledger) Sum() tree.Sum { return l.sum }

// set sets how many bytes a holder has. Setting instead of adding keeps any order of events from counting bytes twice.
func (l *Ledger) set(holder any, size int64) {
	l.sum.Sub(l.held[holder])
	l.sum.Add(size)
	if size == 0 {
		delete(l.held, holder)
	} else {
		l.held[holder] = size
	}
}

// More returns how many bytes a download of that size needs beyond its partial file and what it has reserved.
func (l *Ledger) More(d *Download, here *Partial, size int64) int64 {
	return size - here.length() - l.held[d] // not added up: the size is whatever the remote says
}

// Reserve sets the bytes that a download has reserved. They include those of its partial file, which counts no longer.
func (l *Ledger) Reserve(d *Download, here *Partial, size int64) {
	if here != nil {
		l.set(here, 0)
	}
	l.set(d, size)
}

// Free releases the bytes of a download.
func (l *Ledger) Free(d *Download) { l.set(d, 0) }

// Partial returns the partial file of a path; nil if there is none.
func (l *Ledger) Partial(from string) *Partial { return l.partials[from] }

// RemoveAny deletes one of the partial files. It reports whether there was one.
func (l *Ledger) RemoveAny() bool {
	for _, p := range l.partials {
		l.Remove(p)
		return true
	}
	return false
}

// Take returns the partial file of a version and removes it from the Ledger. It deletes a partial file of another
// version. The bytes count until Reserve.
func (l *Ledger) Take(from string, version tree.Meta) *Partial {
	p := l.partials[from]
	if p != nil && (p.Size != version.Size || p.MTime != version.MTime) {
		l.Remove(p)
		return nil
	}
	delete(l.partials, from)
	return p
}

// Keep adds the partial file of a download. It replaces that of an earlier download.
func (l *Ledger) Keep(d *Download, p *Partial) {
	l.Remove(l.partials[d.file.From])
	l.partials[d.file.From] = p
	l.set(d, 0)
	l.set(p, p.Length)
}

// Remove deletes a partial file. p may be nil.
func (l *Ledger) Remove(p *Partial) {
	if p == nil {
		return
	}
	delete(l.partials, string(p.From))
	l.set(p, 0)
	removeTemp(l.local, p.temp)
}

// Restore adds the partial files that are on disk, and deletes other files in their directory. It calls found with the
// base name of each temporary file, which new ones must not use.
func (l *Ledger) Restore(found func(temp string)) error {
	infos, err := l.local.ReadDir(localdir.PartialDir)
	if err != nil {
		return err
	}
	sizes := map[string]int64{}
	for _, info := range infos {
		sizes[localdir.PartialDir+"/"+info.Name] = info.Size()
		found(path.Base(strings.TrimSuffix(info.Name, noteSuffix)))
	}
	kept := map[string]bool{}
	for name := range sizes {
		temp, isNote := strings.CutSuffix(name, noteSuffix)
		if !isNote {
			continue
		}
		p := &Partial{temp: temp}
		err := l.local.ReadJSON(name, p)
		if err != nil || sizes[temp] < p.Length || p.Length == 0 || l.partials[string(p.From)] != nil {
			continue
		}
		l.partials[string(p.From)] = p
		l.set(p, p.Length)
		kept[name], kept[temp] = true, true
	}
	for name := range sizes {
		if kept[name] {
			continue
		}
		if err := l.local.RemoveAll(name); err != nil {
			return err
		}
	}
	return nil
}
