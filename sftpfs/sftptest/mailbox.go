package sftptest

// Mailbox removes a file when a client that has read it to its end closes it. Servers whose files are messages in a queue do so,
// for example IBM Sterling.
func Mailbox() Character {
	return func(o *Options) {
		var ended perHandle[bool]
		o.Hooks = append(o.Hooks, func(r *Request) Answer {
			a := r.Next()
			switch {
			case r.Kind == Read && readsToEnd(r, a):
				ended.set(r.Handle, true)
			case r.Kind == Close && ended.forget(r.Handle) && a.Status == StatusOK:
				_ = r.tree().remove(r.Path)
			}
			return a
		})
	}
}

// readsToEnd reports whether the client knows from the answer to a Read, or from the size of the file, that there is no
// more.
func readsToEnd(r *Request, a Answer) bool {
	if a.Status != StatusOK {
		return a.Status == StatusEOF
	}
	fi, err := r.tree().fs.Stat(r.Path)
	return err == nil && int64(r.Offset)+int64(len(a.Data)) >= fi.Size()
}
