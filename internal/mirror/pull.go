package mirror

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Pulled is the outcome for one file of a Pull.
type Pulled struct {
	Name     string
	Bytes    int64 // that were transferred; 0 if the copy was there already
	Duration time.Duration
	Err      error
}

// Fetch has a whole copy of a file made, if it is not here.
func (m *FS) Fetch(name string) error {
	clean, err := m.Clean(name)
	if err != nil {
		return err
	}
	m, end, err := m.metered("fetch")
	if err != nil {
		return err
	}
	defer end()
	var size int64
	_, err = m.fetchPath(clean, told{}, func(n *tree.Node) {
		size = n.Meta.Size
		m.meter.Total(1, size)
	})
	if err == nil {
		m.meter.Done(size)
	}
	return err
}

// fetchPath makes a file's bytes present; found is told which file that is. It returns the number of bytes that were
// transferred.
func (m *FS) fetchPath(name string, t told, found func(*tree.Node)) (int64, error) {
	var moved int64
	err := m.doTold(t, func(v *View) error {
		v.Exactly()
		n, err := v.file(name)
		if n == nil {
			return err
		}
		found(n)
		if err := v.Present(n); err != nil {
			return err
		}
		if _, fetched := v.known.fetched[n.ID]; fetched {
			moved = v.shown(n).Size
		}
		return nil
	})
	return moved, err
}

// file is the node of a file; nil if it is one of the user's, which is here in any case.
func (v *View) file(name string) (*tree.Node, error) {
	v.Insist()
	p, err := v.Find(name, true)
	if err == nil {
		err = p.Err()
	}
	switch {
	case err != nil:
		return nil, err
	case p.Kind() == tree.Dir:
		return nil, syscall.EISDIR
	case p.Local != nil:
		return nil, nil
	}
	return v.Materialize(p), nil
}

// Pull fetches every file below a directory that is not here in the remote's version, several at a time. Links are
// not followed; named pipes, sockets and devices are passed over. The error joins those of the files.
func (m *FS) Pull(name string) ([]Pulled, error) {
	clean, err := m.Clean(name)
	if err != nil {
		return nil, err
	}
	m, end, err := m.metered("pull")
	if err != nil {
		return nil, err
	}
	defer end()
	if m.nothingOf(clean) {
		m.Expect(int(m.Capacity()))
	}
	p := &puller{m: m, slots: semaphore.NewWeighted(m.Capacity())}
	p.dir(clean, told{})
	p.running.Wait()
	return p.pulled, errors.Join(p.errs...)
}

// nothingOf says whether nothing of a directory is here. Then all there is of it on the remote, nobody knows how much, is to
// come.
func (m *FS) nothingOf(dir string) (nothing bool) {
	err := m.Do(func(v *View) error {
		n := v.tree.Root()
		for _, name := range elements(dir) {
			if n = n.Kid(name); n == nil {
				break
			}
		}
		nothing = n == nil || !n.HasKids()
		return nil
	})
	return err == nil && nothing
}

type puller struct {
	m       *FS
	slots   *semaphore.Weighted // of what is under way
	running sync.WaitGroup

	mu     sync.Mutex
	pulled []Pulled
	errs   []error
}

func (p *puller) dir(name string, t told) {
	p.running.Add(1)
	go func() {
		defer p.running.Done()
		var listed pulledList
		weight := p.m.Weight(0)
		err := p.slots.Acquire(p.m.ctx, weight)
		if err == nil {
			listed, err = p.list(name, t)
			p.slots.Release(weight)
		}
		if err != nil {
			p.fail(PathError("pull", name, err))
			return
		}
		p.m.Expect(listed.likely)
		for _, info := range listed.infos {
			child, special := tree.Join(name, info.name), Special(info.Mode())
			switch {
			case info.IsDir():
				p.dir(child, listed.told(t, info.name))
			case info.Mode()&fs.ModeSymlink != 0:
			case special != nil:
				p.skip(child, special)
			default:
				weight := p.m.Weight(info.Size())
				if err := p.slots.Acquire(p.m.ctx, weight); err != nil {
					p.fail(err)
					return
				}
				p.m.meter.More(1, info.Size())
				p.file(child, listed.told(t, info.name), info.Size(), weight)
			}
		}
	}()
}

// filesInDir is a guess how many there are in a directory that was not listed yet.
const filesInDir = 50

// likelyToCome is how many files there may be to fetch in a directory and below it.
func likelyToCome(dir *tree.Node, entries map[string]Answer) (n int) {
	for name, a := range entries {
		switch kid := dir.Kid(name); {
		case a.Kind == tree.Dir && (kid == nil || !kid.HasKids()):
			n += filesInDir
		case a.Kind == tree.File && (kid == nil || !present(kid)):
			n++
		}
	}
	return n
}

// pulledList is a directory of the view, with what the remote said about it.
type pulledList struct {
	infos        []Info
	path         string // on the remote
	entries      map[string]Answer
	epoch, since uint64
	at           int64
	likely       int // files to come
}

// told is what has been said on the way to an entry, t being that on the way to the directory.
func (l pulledList) told(t told, name string) told {
	more := told{l.epoch, l.since, map[string]Answer{}}
	if t.epoch == l.epoch {
		maps.Copy(more.answers, t.answers)
	}
	if a, ok := l.entries[name]; ok {
		a.At = cmp.Or(a.At, l.at)
		more.answers[tree.Join(l.path, name)] = a
	}
	return more
}

func (p *puller) list(name string, t told) (l pulledList, err error) {
	err = p.m.doTold(t, func(v *View) error {
		v.Exactly()
		v.Insist()
		v.toList = name // if it has another path on the remote, the list comes after the question
		place, err := v.Find(name, true)
		if err != nil {
			return err
		}
		dir, err := v.Enter(place)
		if err != nil {
			return err
		}
		// The list has the versions of all files in it, so it is taken as the answer whatever Revalidate says.
		l.infos, err = v.listAbout(dir, func(n *tree.Node) bool { return v.askableIf(n, Always) })
		if err == nil && dir.HasBase() {
			l.path, l.at = dir.RemotePath(), v.Now()
			l.entries, l.epoch, l.since = v.known.lists[l.path].entries, v.known.epoch, v.known.since
			l.likely = likelyToCome(dir, l.entries)
		}
		return err
	})
	return l, err
}

// file fetches one file, for which room has been taken.
func (p *puller) file(name string, t told, size, weight int64) {
	p.running.Add(1)
	go func() {
		defer p.running.Done()
		start := p.m.opt.Now()
		n, err := p.m.fetchPath(name, t, func(*tree.Node) {})
		p.slots.Release(weight)
		if err == nil {
			p.m.meter.Done(size)
		}
		err = PathError("pull", name, err)
		p.mu.Lock()
		p.pulled = append(p.pulled, Pulled{Name: name, Bytes: n, Duration: p.m.opt.Now().Sub(start), Err: err})
		p.mu.Unlock()
		if err != nil {
			p.fail(err)
		}
	}()
}

// fail keeps an error; one that says that the context has ended is kept once.
// skip notes that there is nothing to fetch under a name. That is no error of the Pull.
func (p *puller) skip(name string, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pulled = append(p.pulled, Pulled{Name: name, Err: PathError("pull", name, why)})
}

func (p *puller) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ended := p.m.ctx.Err(); ended != nil && errors.Is(err, ended) && errors.Is(errors.Join(p.errs...), ended) {
		return
	}
	p.errs = append(p.errs, err)
}
