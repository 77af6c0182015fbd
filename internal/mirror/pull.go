package mirror

import (
	"cmp"
	"errors"
	"io/fs"
	"sync"
	"syscall"
	"time"

	"github.com/sftpsyncer/go-syncfs/internal/inflight"
	"github.com/sftpsyncer/go-syncfs/internal/oserr"
	"github.com/sftpsyncer/go-syncfs/internal/progress"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// Pulled is the outcome for one file of a Pull.
type Pulled struct {
	Name     string
	Bytes    int64 // transferred; 0 if the copy was there already
	Duration time.Duration
	Err      error
}

// Fetch downloads a file if there is no complete and current copy of it.
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
	_, err = m.fetchPath(clean, hints{}, func(n *tree.Node) {
		size = n.Meta.Size
		m.meter.Total(1, size)
	})
	if err == nil {
		m.meter.Done(size)
	}
	return err
}

// fetchPath downloads a file if its bytes are not local. It calls found with the file's node, perhaps several times. It
// returns the number of bytes that were transferred.
func (m *FS) fetchPath(name string, h hints, found func(*tree.Node)) (int64, error) {
	var moved int64
	err := m.doWith(h, func(v *View) error {
		v.exact = true
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

// file returns the node of a file; nil for a user's file, which is always local.
func (v *View) file(name string) (*tree.Node, error) {
	v.insists = true
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

// metered is Begin for a call that reports the progress of its downloads. bound is m with a meter. end waits for the
// last report; Close does not.
func (m *FS) metered(op string) (bound *FS, end func(), err error) {
	left, err := m.Begin()
	if err != nil {
		return nil, nil, err
	}
	bound = m.bind(m.ctx, progress.NewMeter(op, m.opt.Progress))
	return bound, func() {
		left()
		bound.meter.Close()
	}, nil
}

// Pull downloads every file below a directory that has no local copy of the remote's version, several at a time. It
// does not follow symbolic links. It skips named pipes, sockets and devices, and returns a Pulled with an error for
// each. The error of Pull joins those of the files and directories.
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
		m.limits.Expect(int(m.limits.Capacity()))
	}
	p := &puller{m: m}
	if err := m.limits.Walk(m.ctx, p.dir(nil, clean)); err != nil {
		p.fail(err)
	}
	return p.pulled, errors.Join(p.errs...)
}

// nothingOf reports whether nothing is known of a directory. Pull then downloads all that the remote has in it, which
// may be any number of files.
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
	m *FS

	mu     sync.Mutex
	pulled []Pulled
	errs   []error
}

// dir returns the task that lists a directory, which leads to the tasks of its entries. name is an entry of up, or the
// start of the Pull if up is nil.
func (p *puller) dir(up *pulledDir, name string) inflight.Task {
	return inflight.Task{Weight: p.m.limits.Weight(0), Leads: true, Do: func() (inflight.Tasks, error) {
		d := &pulledDir{up: up, name: name}
		if err := p.list(d); err != nil {
			p.fail(oserr.Path("pull", up.join(name), err))
			return nil, nil
		}
		p.m.limits.Expect(d.likely)
		return func() (inflight.Task, bool) { return p.next(d) }, nil
	}}
}

// next returns the task of the next entry of a directory.
func (p *puller) next(d *pulledDir) (inflight.Task, bool) {
	for len(d.infos) > 0 {
		info := d.infos[0]
		d.infos = d.infos[1:]
		special := remote.Special(info.Mode())
		switch {
		case info.IsDir():
			return p.dir(d, info.Name()), true
		case info.Mode()&fs.ModeSymlink != 0:
		case special != nil:
			p.skip(d.join(info.Name()), special)
		default:
			p.m.meter.More(1, info.Size())
			return p.file(d, info.Name(), info.Size()), true
		}
	}
	return inflight.Task{}, false
}

// filesInDir is a guess of the number of files in a directory that was not listed yet.
const filesInDir = 50

// likelyToCome estimates how many files have to be downloaded in a directory and below it.
func likelyToCome(dir *tree.Node, entries map[string]remote.Answer) (n int) {
	for name, a := range entries {
		switch kid := dir.Kid(name); {
		case a.Kind == tree.Dir && (kid == nil || !kid.HasKids()):
			n += filesInDir
		case a.Kind == tree.File && (kid == nil || !kid.Present()):
			n++
		}
	}
	return n
}

// pulledDir is a directory of the view, with what the remote said about it.
type pulledDir struct {
	up           *pulledDir  // nil: the Pull began here
	name         string      // in up
	infos        []tree.Info // what is still to be fetched
	path         string      // on the remote
	entries      map[string]remote.Answer
	epoch, since uint64
	at           int64
	likely       int // files to come
}

// join returns the path of an entry in the view.
func (d *pulledDir) join(name string) string {
	if d == nil {
		return name
	}
	return tree.Join(d.up.join(d.name), name)
}

// hints returns the remote's answers about an entry and the directories on the way to it.
func (d *pulledDir) hints(name string) (h hints) {
	for at := d; at != nil && at.epoch == d.epoch; at, name = at.up, at.name {
		h.epoch, h.since = d.epoch, d.since
		if a, ok := at.entries[name]; ok {
			a.At = cmp.Or(a.At, at.at)
			put(&h.answers, tree.Join(at.path, name), a)
		}
	}
	return h
}

func (p *puller) list(d *pulledDir) error {
	name := d.up.join(d.name)
	return p.m.doWith(d.up.hints(d.name), func(v *View) error {
		v.exact = true
		v.insists = true
		v.toList = name // used for a prefetch; with another path on the remote, the listing follows the lookup
		place, err := v.Find(name, true)
		if err != nil {
			return err
		}
		dir, err := v.Enter(place)
		if err != nil {
			return err
		}
		// The list has the versions of all files in it, so it is taken as the answer whatever Revalidate says.
		d.infos, err = v.listAbout(dir, func(n *tree.Node) bool { return v.askableIf(n, Always) }, false)
		if err == nil && dir.HasBase() {
			d.path, d.at = dir.RemotePath(), v.Now()
			d.entries, d.epoch, d.since = v.known.lists[d.path].Entries, v.known.epoch, v.known.since
			d.likely = likelyToCome(dir, d.entries)
		}
		return err
	})
}

// file returns the task that downloads one file.
func (p *puller) file(d *pulledDir, base string, size int64) inflight.Task {
	return inflight.Task{Weight: p.m.limits.Weight(size), Do: func() (inflight.Tasks, error) {
		name, start := d.join(base), p.m.opt.Now()
		n, err := p.m.fetchPath(name, d.hints(base), func(*tree.Node) {})
		if err == nil {
			p.m.meter.Done(size)
		}
		err = oserr.Path("pull", name, err)
		p.mu.Lock()
		p.pulled = append(p.pulled, Pulled{Name: name, Bytes: n, Duration: p.m.opt.Now().Sub(start), Err: err})
		p.mu.Unlock()
		if err != nil {
			p.fail(err)
		}
		return nil, nil
	}}
}

// skip records that a name has nothing to download. That is no error of the Pull.
func (p *puller) skip(name string, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pulled = append(p.pulled, Pulled{Name: name, Err: oserr.Path("pull", name, why)})
}

// fail records an error. It keeps only the first error of each kind of which there may be any number: that the context
// has ended, and that a path is too long.
func (p *puller) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, once := range []error{p.m.ctx.Err(), syscall.ENAMETOOLONG} {
		if once != nil && errors.Is(err, once) && errors.Is(errors.Join(p.errs...), once) {
			return
		}
	}
	p.errs = append(p.errs, err)
}
