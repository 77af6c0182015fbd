package localdir

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"
	"time"
)

var _ backend = (*translated)(nil)

func (t *translated) lstat(name string) (info Info, err error) {
	err = t.use(name, func(local string) error {
		info, err = t.disk.lstat(local)
		info.Name = path.Base(name)
		return err
	})
	return info, err
}

func (t *translated) readDir(name string, bare bool) (infos []Info, err error) {
	err = t.use(name, func(local string) error {
		infos, err = t.disk.readDir(local, bare)
		return err
	})
	if err != nil {
		return nil, err
	}
	at := make(map[string]int, len(infos)) // index into listed, by name
	listed := infos[:0]
	for _, info := range infos {
		escaped := false
		if Reserved(info.Name) {
			if element := t.original(info.Name); element != "" {
				info.Name, escaped = element, true
			}
		}
		if i, ok := at[info.Name]; !ok {
			at[info.Name] = len(listed)
			listed = append(listed, info)
		} else if escaped {
			listed[i] = info
		}
	}
	return listed, nil
}

func (t *translated) openFile(name string, flag int, perm fs.FileMode) (h handle, err error) {
	open := func(local string) (err error) {
		h, err = t.disk.openFile(local, flag, perm)
		return err
	}
	if flag&os.O_CREATE == 0 {
		err = t.use(name, open)
	} else {
		err = t.create(name, open)
	}
	return h, err
}

func (t *translated) mkdir(name string, perm fs.FileMode) error {
	return t.create(name, func(local string) error { return t.disk.mkdir(local, perm) })
}

func (t *translated) mkdirAll(name string, perm fs.FileMode) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	local, rest := own(name)
	for _, element := range rest {
		e, err := t.entry(local, element)
		if err == nil && e.there {
			_, lstatErr := t.disk.lstat(e.local)
			e.there = !errors.Is(lstatErr, fs.ErrNotExist) // the cache may have missed a change
		}
		if err == nil && !e.there {
			err = t.make(e, func(local string) error {
				e.local = local
				return t.disk.mkdir(local, perm)
			})
		}
		if err != nil {
			return err
		}
		local = e.local
	}
	return t.disk.mkdirAll(local, perm) // checks that all elements are directories
}

func (t *translated) remove(name string) error { return t.drop(name, t.disk.remove) }

func (t *translated) removeAll(name string) error {
	err := t.drop(name, t.disk.removeAll)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (t *translated) rename(oldname, newname string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	from, err := t.find(oldname)
	if err != nil {
		return err
	}
	to, err := t.find(newname)
	switch {
	case err != nil:
		return err
	case !from.there:
		return syscall.ENOENT
	case to.there && to.local == from.local:
		return t.disk.rename(from.local, to.local)
	}
	move := func(local string) error {
		to.local = local
		return t.change(from.local, false, func(string) error { return t.disk.rename(from.local, local) })
	}
	if to.there {
		return t.change(to.local, true, move)
	}
	if err := t.make(to, move); err != nil {
		return err
	}
	// A disk that takes both spellings for one name may refuse to rename one to the other. The escape is a third name,
	// under which the file is already in the right place.
	if from.dir == to.dir && filepath.Base(to.local) != to.element {
		if plain, err := t.plain(to); err == nil && plain != "" {
			from = to
			_ = t.change(plain, true, move)
		}
	}
	return nil
}

func (t *translated) chmod(name string, mode fs.FileMode) error {
	return t.use(name, func(local string) error { return t.disk.chmod(local, mode) })
}

func (t *translated) chtimes(name string, atime, mtime time.Time) error {
	return t.use(name, func(local string) error { return t.disk.chtimes(local, atime, mtime) })
}

func (t *translated) syncDir(name string) error { return t.use(name, t.disk.syncDir) }

func (t *translated) lock(dir string) (unlock func() error, err error) { return t.disk.lock(dir) }

func (t *translated) close() error { return t.disk.close() }
