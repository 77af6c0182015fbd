package sftpfs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// A message is a request of the package's own, without length and id.
type message struct {
	kind byte
	body body
	// ofOpened says that the body goes behind the handle of what the first one opens of the messages that are sent together.
	ofOpened bool
	data     []byte // of a WRITE: goes behind the body, which has its length
}

// about returns the message as one about the handle.
func (m message) about(handle string) message {
	if m.ofOpened {
		m.body, m.ofOpened = append(body{}.string(handle), m.body...), false
	}
	return m
}

// appendTo appends the message as a packet. The handle is that of what was opened.
func (m message) appendTo(b []byte, id uint32, handle string) []byte {
	length := headerSize - 4 + len(m.body) + len(m.data)
	if m.ofOpened {
		length += 4 + len(handle)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(length))
	b = append(b, m.kind)
	b = binary.BigEndian.AppendUint32(b, id)
	if m.ofOpened {
		b = body(b).string(handle)
	}
	b = append(b, m.body...)
	return append(b, m.data...)
}

// body builds what is in a message.
type body []byte

func (b body) uint32(n uint32) body { return binary.BigEndian.AppendUint32(b, n) }
func (b body) uint64(n uint64) body { return binary.BigEndian.AppendUint64(b, n) }
func (b body) string(s string) body { return append(b.uint32(uint32(len(s))), s...) }

// Flags of OPEN.
const (
	openRead   = 0x01
	openWrite  = 0x02
	openCreate = 0x08
	openExcl   = 0x20
)

// Flags of attributes.
const (
	attrSize        = 0x01
	attrOwner       = 0x02
	attrPermissions = 0x04
	attrTimes       = 0x08
	attrExtended    = 1 << 31
)

// A reply is the answer to a message, without length and id.
type reply struct {
	kind byte
	body []byte
	bad  error // why it can't be used, although it is what was asked for
}

// A notSo is a reply that is not the one that was hoped for.
type notSo struct{ reply }

func (e notSo) Error() string {
	if code, ok := e.status(); ok {
		return fmt.Sprintf("the server refuses with status %d", code)
	}
	return fmt.Sprintf("the server answers with a packet of type %d", e.kind)
}

// Is has it found as errors.ErrUnsupported: the long way has to be gone.
func (notSo) Is(target error) bool { return target == errors.ErrUnsupported }

// status returns the code of a status; false: it is none.
func (r reply) status() (code uint32, ok bool) {
	f := fields{b: r.body}
	code = f.uint32()
	return code, r.kind == packetStatus && !f.bad
}

// done is nil if the reply is that the request was carried out.
func (r reply) done() error {
	if code, ok := r.status(); !ok || code != statusOK {
		return notSo{r}
	}
	return nil
}

func (r reply) handle() (string, error) {
	f := fields{b: r.body}
	h := f.string()
	if r.kind != packetHandle || f.bad {
		return "", notSo{r}
	}
	return h, nil
}

func (r reply) data() ([]byte, error) {
	f := fields{b: r.body}
	b := f.take(int(f.uint32()))
	if r.kind != packetData || f.bad {
		return nil, notSo{r}
	}
	return b, nil
}

// info returns the attributes as those of what has that name.
func (r reply) info(name string) (fs.FileInfo, error) {
	f := fields{b: r.body}
	stat := f.stat()
	if r.kind != packetAttrs || f.bad {
		return nil, notSo{r}
	}
	return infoOf(name, &stat)
}

// entries returns what is in a part of a listing. At the end of the listing it returns io.EOF.
func (r reply) entries() ([]fs.FileInfo, error) {
	if r.bad != nil {
		return nil, r.bad
	}
	if code, ok := r.status(); ok && code == statusEOF {
		return nil, io.EOF
	}
	f := fields{b: r.body}
	count := f.uint32()
	if r.kind != packetName || f.bad {
		return nil, notSo{r}
	}
	var entries []fs.FileInfo
	for range count {
		name, stat, err := f.entry()
		if err != nil {
			return nil, err
		}
		if name == "." || name == ".." {
			continue
		}
		fi, err := infoOf(name, &stat)
		if err != nil {
			return nil, err
		}
		entries = append(entries, fi)
	}
	return entries, nil
}
