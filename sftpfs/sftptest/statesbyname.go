package sftptest

// StatesByName answers Fstat with the attributes of what the name leads to by then, by which the handle was opened. The
// RequestServer of pkg/sftp, on which other servers are built, and mysecureshell do so.
func StatesByName() Character {
	return func(o *Options) {
		o.Hooks = append(o.Hooks, func(r *Request) Answer {
			if r.Kind == Fstat {
				return information(r.tree().fs.Stat(r.Path))
			}
			return r.Next()
		})
	}
}
