package sftptest

// SwappedSymlink reads the two paths of Symlink in the order of the draft: first the new name, then the content of the symbolic
// link. OpenSSH and most clients have the other order. mysecureshell has that of the draft, and AsyncSSH for clients other than
// OpenSSH's. gesftpserver announces its order: add Announce("symlink-order@rjk.greenend.org.uk", "linkpath-targetpath").
func SwappedSymlink() Character {
	return OnRequest(func(r *Request) Answer {
		if r.Kind == Symlink {
			r.Path, r.Target = absolute(r.Target), r.second
		}
		return r.Next()
	})
}
