package localdir

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// translated is a disk that can't hold all names or takes some for others: it folds case, normalizes Unicode or
// reserves names. A name is stored as it is if the disk keeps its spelling and has no other spelling of it. Otherwise
// it is stored in the same directory under its escape. If both are there, the escape counts. So two names never share a
// file, and a file that the user puts there by hand has the name that the disk shows.
//
// Names are not translated directly in StateDir and in the directories below it.
type translated struct {
	disk   backend
	alters bool // the disk may change the spelling of a name
	caches bool // the stamp of a directory shows whether its names have changed
	cache  nameCache

	// mu is read-locked while names are looked up and used, and write-locked while they change. So nobody uses a name that
	// another file has got meanwhile.
	mu sync.RWMutex
}

// ownDepth is how many elements of a name in StateDir belong to the library: they are safe, and not translated.
const ownDepth = 3

// own splits name into the elements that are not translated and the rest.
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

// entry is the place of a name on disk, or, if it does not exist, the directory for it.
type entry struct {
	dir, element string
	local        string
	there        bool
}

// find looks up a name. If the name is not translated, find does not check whether it exists.
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
		// Another spelling is there, or a change that the cache has missed.
	}
}

// free reports whether the disk has no entry that it takes for element. It is false for a name that the disk can't
// hold.
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

// names returns the names in a directory of the disk, and whether they come from the cache.
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
	listed, err := t.disk.readDir(dir, true)
	if err != nil {
		return nil, false, err
	}
	names = setOf(listed)
	if t.caches && info.IsDir() { // the stamp of a symbolic link says nothing about the directory
		t.cache.put(dir, info.Stamp, names)
	}
	return names, false, nil
}

// use calls do with the path of an existing name.
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

// make calls do, which makes a file or directory, with the path for a name that does not exist.
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
		return refusal // the name was not the reason
	}
	return err
}

// change calls do, which makes or removes what is at a path, and updates the cache.
func (t *translated) change(local string, makes bool, do func(local string) error) error {
	err := do(local)
	dir := filepath.Dir(local)
	t.cache.forget(local) // what was there before, or what is left of it
	if err != nil {
		t.cache.forget(dir) // the change may have been made in part
		return err
	}
	if info, err := t.disk.lstat(dir); err == nil {
		t.cache.change(local, makes, info.Stamp)
	}
	return nil
}

// plain returns the path of a new name if it can be stored as it is; "" if it must be escaped.
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

// create calls do with the path of a name, which do creates if it does not exist.
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
