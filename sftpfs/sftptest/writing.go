package sftptest

import "io/fs"

// InOrder refuses, with StatusFailure, a Write that does not begin where the Write before it on the same handle has ended. The
// first one has to begin at 0. rclone serve sftp without a cache does so ("Illegal seek").
func InOrder() Character {
	return func(o *Options) {
		var ends perHandle[uint64]
		o.Hooks = append(o.Hooks, func(r *Request) Answer {
			switch {
			case r.Kind == Close:
				ends.forget(r.Handle)
			case r.Kind == Write && r.Offset != ends.get(r.Handle):
				return Refuse(StatusFailure, "Illegal seek")
			}
			a := r.Next()
			if r.Kind == Write && a.Status == StatusOK {
				ends.set(r.Handle, r.Offset+uint64(r.Length))
			}
			return a
		})
	}
}

// TruncatingOpen empties each file that is opened for writing, also without FlagTruncate. rclone serve sftp 1.60 does so with
// --vfs-cache-mode writes and full.
func TruncatingOpen() Character {
	return OnRequest(func(r *Request) Answer {
		if r.opensForWriting() {
			r.Flags |= FlagTruncate
		}
		return r.Next()
	})
}

// NoUpdate refuses to open an existing file for writing without FlagTruncate, with StatusPermissionDenied: files can be written
// anew, but not changed or resumed. rclone serve sftp without a cache does so.
func NoUpdate() Character {
	return OnRequest(func(r *Request) Answer {
		if r.opensForWriting() && r.Flags&FlagTruncate == 0 {
			if _, err := r.tree().fs.Stat(r.Path); err == nil {
				return Refuse(StatusPermissionDenied, "")
			}
		}
		return r.Next()
	})
}

// Umask sets the umask of the server, which is otherwise 0o022.
func Umask(mask fs.FileMode) Character { return func(o *Options) { o.umask = new(mask) } }
