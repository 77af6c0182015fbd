package download

import (
	"path"
	"strings"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Ledger has what is here of files and is no copy: how many bytes downloads have reserved, and the partial files that are left
// of those that were cut off. It is not safe for concurrent use.
type Ledger struct {
	local    *localdir.Dir
	partials map[string]*Partial // by path on the remote
	held     map[any]int64       // by *Download and *Partial
	sum      tree.Sum
}

// NewLedger returns an empty one.
func NewLedger(local *localdir.Dir) *Ledger {
	return &Ledger{local: local, partials: map[string]*Partial{}, held: map[any]int64{}}
}

// Sum is how many bytes there are, or may be before long.
func (l *Ledger) Sum() tree.Sum { return l.sum }

// set takes note of how much a holder has now. Whoever holds some sets how much that is, so that no order of events can have
// it counted twice.
func (l *Ledger) set(holder any, size int64) {
	l.sum.Sub(l.held[holder])
	l.sum.Add(size)
	if size == 0 {
		delete(l.held, holder)
	} else {
		l.held[holder] = size
	}
}

// More is how many bytes a download needs to have so many, beside those that are here and those that it has reserved.
func (l *Ledger) More(d *Download, here *Partial, size int64) int64 {
	return size - here.length() - l.held[d] // no sum: the size is what the remote says
}

// Reserve has so many bytes for a download, counting those of a partial file, which is no longer one.
func (l *Ledger) Reserve(d *Download, here *Partial, size int64) {
	if here != nil {
		l.set(here, 0)
	}
	l.set(d, size)
}

// Free gives back what a download has.
func (l *Ledger) Free(d *Download) { l.set(d, 0) }

// Partial is what is left of a download from a path, or nil.
func (l *Ledger) Partial(from string) *Partial { return l.partials[from] }

// RemoveAny deletes one of the partial files. It says whether there was one.
func (l *Ledger) RemoveAny() bool {
	for _, p := range l.partials {
		l.Remove(p)
		return true
	}
	return false
}

// Take takes out the partial file of a version; one of another version is deleted. Its bytes count until Reserve.
func (l *Ledger) Take(from string, version tree.Meta) *Partial {
	p := l.partials[from]
	if p != nil && (p.Size != version.Size || p.MTime != version.MTime) {
		l.Remove(p)
		return nil
	}
	delete(l.partials, from)
	return p
}

// Keep adds what is left of a download, instead of what was left of an earlier one.
func (l *Ledger) Keep(d *Download, p *Partial) {
	l.Remove(l.partials[d.file.From])
	l.partials[d.file.From] = p
	l.set(d, 0)
	l.set(p, p.Length)
}

// Remove deletes a partial file, if there is one.
func (l *Ledger) Remove(p *Partial) {
	if p == nil {
		return
	}
	delete(l.partials, string(p.From))
	l.set(p, 0)
	removeTemp(l.local, p.temp)
}

// Restore takes in the partial files that are here, and deletes what is none. It calls found with the base name of each
// temporary file: a new one must not have it.
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
