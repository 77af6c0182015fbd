package sftptest

import "io/fs"

// execute executes a request that has passed all hooks.
func (s *session) execute(r *Request) Answer {
	t := s.conn.server.tree
	switch {
	case s.conn.hasStopped():
		return Drop()
	case r.extended && r.Kind != PosixRename:
		return Refuse(StatusOpUnsupported, "")
	case r.hasNUL():
		return Refuse(StatusBadMessage, "")
	}
	switch r.Kind {
	case Open:
		return s.open(r)
	case OpenDir:
		return s.openDir(r)
	case Close, Read, Write, Fstat, Fsetstat, ReadDir:
		return s.executeOnHandle(r)
	case Stat:
		return information(t.fs.Stat(r.Path))
	case Lstat:
		return information(t.lstat(r.Path))
	case Setstat:
		return result(r.Attrs.set(named{t, r.Path}))
	case Mkdir:
		return result(t.mkdir(r.Path, t.mode(r.Attrs, 0o777)))
	case Rmdir:
		return result(t.rmdir(r.Path))
	case Remove:
		return result(t.remove(r.Path))
	case Rename:
		return result(t.rename(r.Path, r.Target))
	case PosixRename:
		return result(t.replace(r.Path, r.Target))
	case Symlink:
		return result(t.symlink(r.Target, r.Path))
	case Readlink:
		target, err := t.readlink(r.Path)
		return Answer{Status: statusOf(err), Entries: []Entry{{Name: target}}}
	case Realpath:
		return Answer{Entries: []Entry{{Name: r.Path}}}
	}
	return Refuse(StatusOpUnsupported, "")
}

func (s *session) open(r *Request) Answer {
	t := s.conn.server.tree
	return s.opened(&handle{session: s, path: r.Path, flags: r.Flags}, func(h *handle) (err error) {
		h.file, err = t.open(r.Path, r.Flags.osFlags(), t.mode(r.Attrs, 0o666))
		return err
	})
}

// openDir takes the listing when the directory is opened.
func (s *session) openDir(r *Request) Answer {
	return s.opened(&handle{session: s, path: r.Path}, func(h *handle) (err error) {
		h.entries, err = s.conn.server.tree.list(r.Path)
		return err
	})
}

// opened registers h after open has succeeded, unless the connection has too many handles.
func (s *session) opened(h *handle, open func(*handle) error) Answer {
	all := &s.conn.server.handles
	if !all.reserve(s.conn, s.conn.server.opts.MaxHandles) {
		return Refuse(StatusFailure, "")
	}
	if err := open(h); err != nil {
		all.release(s.conn)
		return result(err)
	}
	return Answer{Handle: all.add(h)}
}

func (s *session) executeOnHandle(r *Request) Answer {
	server := s.conn.server
	h := server.handles.get(s, r.Handle)
	if h == nil {
		return Refuse(StatusFailure, "")
	}
	switch r.Kind {
	case Close:
		server.handles.remove(s, r.Handle)
		return result(h.close())
	case Fstat:
		if h.file == nil {
			return information(server.tree.fs.Stat(h.path))
		}
		return information(h.file.Stat())
	case Fsetstat:
		return result(r.Attrs.set(h.settable()))
	case ReadDir:
		page, err := h.next()
		a := result(err)
		for _, fi := range page {
			a.Entries = append(a.Entries, Entry{Name: fi.Name(), Attrs: attributesOf(fi)})
		}
		return a
	}
	switch {
	case h.file == nil:
		return Refuse(StatusFailure, "")
	case r.Kind == Write:
		return result(h.writeAt(r.Data, int64(r.Offset)))
	}
	data := make([]byte, min(int64(r.Length), server.opts.mostData()))
	n, err := h.readAt(data, int64(r.Offset))
	return Answer{Status: statusOf(err), Data: data[:n]}
}

// mode returns the permissions of what a request makes: those that it names, or else the usual ones, minus the umask.
func (t *tree) mode(a Attributes, usual fs.FileMode) fs.FileMode {
	mode := usual
	if a.Mode != nil {
		mode = fileMode(*a.Mode).Perm()
	}
	return mode &^ t.umask
}
