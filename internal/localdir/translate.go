package localdir

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// translated is a disk that cannot hold all names, or takes some for others: one that folds case, normalizes Unicode
// or reserves names. A single name is stored as it is if the disk spells it so, and if no other spelling was there
// first. Otherwise it is stored in the same directory under its escape, which also wins where both are there. So two
// names never share a file, and what the user puts there by hand is there under the spelling that the disk gives it.
//
// Names are translated everywhere but directly in StateDir and the directories below it.
type translated struct {
	disk   disk
	alters bool // the disk may spell a name otherwise than it was given
	caches bool // the stamp of a directory tells whether its names have changed
	cache  nameCache

	// mu is held for reading while names are looked up and used, for writing while they change, so that no one meets
	// a name that has become another's meanwhile.
	mu sync.RWMutex
}

// ownDepth is how many elements of a name in StateDir are the library's own: safe, and not translated.
const ownDepth = 3

// own splits off the elements of name that are not translated.
func own(name string) (local string, rest []string) {
	elements := strings.Split(name, "/")
	n := 0
	switch {
	case name == ".":
		n = 1
	case elements[0] == StateDir:
		n = min(ownDepth, len(elements))
	}
	return filepath.Join(append([]string{"."}, elements[:n]...)...), elements[n:]
}

// entry is where a name is on the disk or, if it is not there, the directory that it can be made in.
type entry struct {
	dir, element string
	local        string
	there        bool
}

// find looks a name up. Whether one that is not translated is there is for the disk to say.
func (t *translated) find(name string) (entry, error) {
	local, rest := own(name)
	e := entry{local: local, there: true}
	for _, element := range rest {
		if !e.there {
			return e, syscall.ENOENT
		}
		var err error
		if e, err = t.entry(local, element); err != nil {
			return e, err
		}
		local = e.local
	}
	return e, nil
}

// entry looks up a single name in a directory of the disk.
func (t *translated) entry(dir, element string) (entry, error) {
	e := entry{dir: dir, element: element}
	for again := false; ; again = true {
		names, cached, err := t.names(dir, again)
		if err != nil {
			return e, err
		}
		for _, stored := range []string{escape(element), element} {
			if names[stored] {
				e.local, e.there = filepath.Join(dir, stored), true
				return e, nil
			}
		}
		free, err := t.free(dir, element)
		if err != nil || free || !cached {
			return e, err
		}
		// Another spelling is there, or one that is not noticed yet.
	}
}

// free reports whether the disk has nothing that it takes for a name. About one that it cannot hold it says false.
func (t *translated) free(dir, element string) (bool, error) {
	local, err := localize(element)
	if err != nil {
		return false, nil
	}
	_, err = t.disk.lstat(filepath.Join(dir, local))
	switch {
	case err == nil || cannotHold(err):
		return false, nil
	case errors.Is(err, fs.ErrNotExist):
		return true, nil
	}
	return false, err
}

// names returns what a directory of the disk holds, and whether that comes from the cache.
func (t *translated) names(dir string, again bool) (names map[string]bool, cached bool, err error) {
	info, err := t.disk.lstat(dir)
	switch {
	case err != nil:
		return nil, false, err
	case info.IsRegular():
		return nil, false, syscall.ENOTDIR
	}
	if !again {
		if names := t.cache.get(dir, info.Stamp); names != nil {
			return names, true, nil
		}
	}
	listed, err := t.disk.names(dir)
	if err != nil {
		return nil, false, err
	}
	names = setOf(listed)
	if t.caches && info.IsDir() { // a link's stamp says nothing about the directory
		t.cache.put(dir, info.Stamp, names)
	}
	return names, false, nil
}

// use calls do with the path of what has a name.
func (t *translated) use(name string, do func(local string) error) error {
	if local, rest := own(name); len(rest) == 0 {
		return do(local)
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	e, err := t.find(name)
	if err != nil {
		return err
	}
	if !e.there {
		return syscall.ENOENT
	}
	return do(e.local)
}

// make calls do, which makes something, with the path for a name that is not there.
func (t *translated) make(e entry, do func(local string) error) error {
	plain, err := t.plain(e)
	if err != nil {
		return err
	}
	var refusal error
	if plain != "" {
		refusal = t.change(plain, true, do)
		if !cannotHold(refusal) && !errors.Is(refusal, fs.ErrPermission) {
			return refusal
		}
	}
	escaped, err := t.escaped(e)
	if err == nil {
		err = t.change(escaped, true, do)
	}
	if err != nil && refusal != nil {
		return refusal // it was not the name
	}
	return err
}

// change calls do, which makes or removes what is at a path, and keeps the cache up to date.
func (t *translated) change(local string, makes bool, do func(local string) error) error {
	err := do(local)
	dir := filepath.Dir(local)
	t.cache.forget(local) // what it was before, or what is left of it
	if err != nil {
		t.cache.forget(dir) // it may have been done in part
		return err
	}
	if info, err := t.disk.lstat(dir); err == nil {
		t.cache.change(local, makes, info.Stamp)
	}
	return nil
}

// plain returns where a name that is not there can be stored as it is, or nothing if it must be escaped.
func (t *translated) plain(e entry) (string, error) {
	if free, err := t.free(e.dir, e.element); err != nil || !free {
		return "", err
	}
	if t.alters {
		if held, _, err := probe(t.disk, e.element); err != nil || !held[e.element] {
			return "", err
		}
	}
	return filepath.Join(e.dir, e.element), nil
}

// create calls do with the path of a name, which it makes if it is not there.
func (t *translated) create(name string, do func(local string) error) error {
	if local, rest := own(name); len(rest) == 0 {
		return do(local)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	e, err := t.find(name)
	if err != nil {
		return err
	}
	if e.there {
		return do(e.local)
	}
	return t.make(e, do)
}

// drop calls do, which removes something, with the path of a name.
func (t *translated) drop(name string, do func(local string) error) error {
	if local, rest := own(name); len(rest) == 0 {
		return do(local)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	e, err := t.find(name)
	if err == nil && !e.there {
		err = syscall.ENOENT
	}
	if err != nil {
		return err
	}
	return t.change(e.local, false, do)
}
