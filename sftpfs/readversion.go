package sftpfs

import (
	"io/fs"
	"path"
	"slices"
	"time"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

// ReadVersion returns the content of a small file of which size and mtime are known, and its attributes, if it still is
// that version after the read. Of mtime, only whole seconds count. ReadVersion takes one round trip or two, and works
// only if the server is known to process requests in order. An error means only that the caller has to open the file
// instead.
func (f *Fs) ReadVersion(name string, size int64, mtime time.Time) (content []byte, fi fs.FileInfo, err error) {
	type version struct {
		content []byte
		fi      fs.FileInfo
	}
	v, err := look(f, name, func(r remote, p string) (v version, err error) {
		v.content, v.fi, err = r.readVersion(p, size, mtime)
		return v, err
	})
	return v.content, v.fi, pathError("open", name, err)
}

func (r remote) readVersion(p string, size int64, mtime time.Time) ([]byte, fs.FileInfo, error) {
	if err := r.canPipeline(r.inOrder); err != nil {
		return nil, nil, err
	}
	var requests []wire.Request
	for off := int64(0); off < max(size, 1); off += packet { // a file of size 0 may still have content
		n := uint32(min(packet, max(size-off, 1)))
		requests = append(requests, wire.ReadAt(uint64(off), n))
	}
	requests = append(requests, wire.Fstat())
	replies, _, err := r.use(wire.OpenRead(r.on(p)), requests...)
	if err != nil {
		return nil, nil, err
	}
	last := len(replies) - 1
	fi, err := replies[last].Info(path.Base(p))
	if err != nil {
		return nil, nil, err
	}
	if fi.Size() != size || fi.ModTime().Unix() != mtime.Unix() {
		return nil, nil, errNotPipelined
	}
	var content []byte
	for i, reply := range replies[:last] {
		if reply.Is(wire.StatusEOF) && size == 0 {
			break
		}
		b, err := reply.Data()
		if err != nil {
			return nil, nil, err
		}
		if i == 0 {
			content = slices.Clip(b) // most files have only one packet
		} else {
			content = append(content, b...)
		}
	}
	if int64(len(content)) != size {
		return nil, nil, errNotPipelined
	}
	return content, fi, nil
}
