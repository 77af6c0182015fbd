package sftptest

import (
	"strings"
	"time"
)

// A Request is one SFTP request as the server received it. A Hook may change it before it calls Next.
type Request struct {
	Kind Kind

	// Conn is the number of the connection since New, and Channel that of the channel on it. Both begin with 1.
	Conn, Channel int

	// Path is absolute. In a request on a handle it is the path by which the handle was opened.
	Path string

	// Target is the new path of Rename and PosixRename, and the content of the symbolic link that Symlink makes.
	Target string

	// Handle is that of a request on an open file or directory. No two handles of a Server are the same.
	Handle string

	// Flags are those of Open. In a request on a handle they are those with which the handle was opened.
	Flags Flags

	// Offset and Length are those of Read and Write, in bytes.
	Offset uint64
	Length uint32

	// Data is what Write writes. In a request for an extension it is everything behind the extension's name.
	Data []byte

	// Attrs are those of Open, Mkdir, Setstat and Fsetstat.
	Attrs Attributes

	id       uint32
	second   string // of the two paths of Symlink, as it was sent
	extended bool   // it is for an extension
	hooks    []Hook // hooks that have not seen it yet
	session  *session
	detach   func()
}

// Flags specify how a file is opened. They are the SSH_FXF_* of the protocol.
type Flags uint32

// The flags of Open.
const (
	FlagRead Flags = 1 << iota
	FlagWrite
	FlagAppend
	FlagCreate
	FlagTruncate
	FlagExclusive
)

// parse decodes a request from its packet, which is not empty.
func parse(packet []byte) (*Request, error) {
	d := decoder{b: packet[1:]}
	r := &Request{id: d.uint32(), Kind: kindOf(packet[0]), extended: packet[0] == packetExtended}
	switch r.Kind {
	case Open:
		r.Path, r.Flags, r.Attrs = d.path(), Flags(d.uint32()), d.attributes()
	case Close, Fstat, ReadDir:
		r.Handle = d.string()
	case Read:
		r.Handle, r.Offset, r.Length = d.string(), d.uint64(), d.uint32()
	case Write:
		r.Handle, r.Offset, r.Data = d.string(), d.uint64(), d.bytes()
		r.Length = uint32(len(r.Data))
	case Setstat, Mkdir:
		r.Path, r.Attrs = d.path(), d.attributes()
	case Fsetstat:
		r.Handle, r.Attrs = d.string(), d.attributes()
	case Rename:
		r.Path, r.Target = d.path(), d.path()
	case Symlink: // in the order of OpenSSH, which is not that of the draft
		r.Target, r.second = d.string(), d.string()
		r.Path = absolute(r.second)
	case Lstat, OpenDir, Remove, Rmdir, Realpath, Stat, Readlink:
		r.Path = d.path()
	default:
		if !r.extended {
			break
		}
		if r.Kind = Kind(d.string()); r.Kind == PosixRename {
			r.Path, r.Target = d.path(), d.path()
		} else {
			r.Data = d.b
		}
	}
	if d.bad {
		return nil, errMalformed
	}
	return r, nil
}

// Next executes the request: it calls the next Hook, and after the last one the server itself. The caller may change the Answer
// before it returns it. When the server has stopped, Next does nothing and returns Drop.
func (r *Request) Next() Answer {
	if len(r.hooks) == 0 {
		return r.session.execute(r)
	}
	inner := *r
	inner.hooks = r.hooks[1:]
	return r.hooks[0](&inner)
}

// Wait waits until ready delivers or is closed, even if the client is gone. It returns early if the server stops.
//
// The requests that follow on the channel wait, too, as if the server process were suspended. See Detach.
func (r *Request) Wait(ready <-chan struct{}) {
	select {
	case <-ready:
	case <-r.session.conn.stopped:
	}
}

// Sleep waits for a time as Wait does.
func (r *Request) Sleep(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.session.conn.stopped:
	}
}

// Detach lets the requests that follow on the channel overtake this one. It is still executed when its Hook calls Next, and
// answered when the Hook returns.
func (r *Request) Detach() { r.detach() }

// tree returns the tree that is served.
func (r *Request) tree() *tree { return r.session.conn.server.tree }

// names returns the paths that the request is about.
func (r *Request) names() []string {
	if r.Kind == Rename || r.Kind == PosixRename {
		return []string{r.Path, r.Target}
	}
	return []string{r.Path}
}

// makes returns the path of what the request makes; "" if it makes nothing.
func (r *Request) makes() string {
	switch {
	case r.Kind == Open && r.Flags&FlagCreate != 0, r.Kind == Mkdir, r.Kind == Symlink:
		return r.Path
	case r.Kind == Rename, r.Kind == PosixRename:
		return r.Target
	}
	return ""
}

// opensForWriting reports whether the request opens a file for writing.
func (r *Request) opensForWriting() bool { return r.Kind == Open && r.Flags&FlagWrite != 0 }

// endsWriting reports whether the request closes a file that was open for writing.
func (r *Request) endsWriting() bool { return r.Kind == Close && r.Flags&FlagWrite != 0 }

// hasNUL reports whether a path of the request has a NUL, which no file system accepts.
func (r *Request) hasNUL() bool { return strings.Contains(r.Path+r.Target, "\x00") }
