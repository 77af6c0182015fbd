package wire

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
)

// A Reply is the answer to a Request. Each of its methods reads one kind of answer; for any other answer, the error
// matches errors.ErrUnsupported.
type Reply struct {
	kind byte
	body []byte // after the id
	bad  error  // why a reply of the expected kind cannot be used
}

// An unexpectedReply is the error for a Reply that is not the expected one.
type unexpectedReply struct{ Reply }

func (e unexpectedReply) Error() string {
	if status, ok := e.status(); ok {
		return status.Error()
	}
	return fmt.Sprintf("the server answers with a packet of type %d", e.kind)
}

// Is makes an unexpectedReply match errors.ErrUnsupported: the caller has to send the ordinary requests.
func (unexpectedReply) Is(target error) bool { return target == errors.ErrUnsupported }

// status returns the status that the reply is. It returns false if it is none.
func (r Reply) status() (Status, bool) {
	if r.kind != packetStatus {
		return Status{}, false
	}
	code, message, ok := parseStatus(r.body)
	return Status{code, string(message)}, ok
}

// Is reports whether the reply is a status with this code.
func (r Reply) Is(code uint32) bool {
	got, ok := r.status()
	return ok && got.Code == code
}

// Refusal returns nil if the server has carried out the request, and otherwise the Status with which it refuses. Unlike
// the errors of the other methods, a Status is final.
func (r Reply) Refusal() error {
	err := r.Done()
	if status, ok := r.status(); ok && err != nil {
		return status
	}
	return err
}

// Done returns nil if the server has carried out the request.
func (r Reply) Done() error {
	if !r.Is(StatusOK) {
		return unexpectedReply{r}
	}
	return nil
}

// Handle returns the handle that was opened.
func (r Reply) Handle() (string, error) {
	f := fields{b: r.body}
	h := f.string()
	if r.kind != packetHandle || f.bad {
		return "", unexpectedReply{r}
	}
	return h, nil
}

// Data returns the bytes that were read.
func (r Reply) Data() ([]byte, error) {
	f := fields{b: r.body}
	b := f.bytes()
	if r.kind != packetData || f.bad {
		return nil, unexpectedReply{r}
	}
	return b, nil
}

// Info returns the attributes as those of a file with this name. A negative size is a BadAnswer.
func (r Reply) Info(name string) (fs.FileInfo, error) {
	f := fields{b: r.body}
	stat := f.stat()
	if r.kind != packetAttrs || f.bad {
		return nil, unexpectedReply{r}
	}
	return NewInfo(name, &stat)
}

// Entries returns the entries in a part of a listing, without "." and "..". At the end of the listing it returns
// io.EOF. An impossible entry is a BadAnswer.
func (r Reply) Entries() ([]fs.FileInfo, error) {
	if r.bad != nil {
		return nil, r.bad
	}
	if r.Is(StatusEOF) {
		return nil, io.EOF
	}
	f := fields{b: r.body}
	count := f.uint32()
	if r.kind != packetName || f.bad {
		return nil, unexpectedReply{r}
	}
	var entries []fs.FileInfo
	for range count {
		name, stat, err := f.entry()
		if err != nil {
			return nil, err
		}
		if isDot(name) {
			continue
		}
		fi, err := NewInfo(name, &stat)
		if err != nil {
			return nil, err
		}
		entries = append(entries, fi)
	}
	return entries, nil
}

// Limits are the limits that a server states: the bytes in one READ and in one WRITE, and the open files. 0: unknown.
type Limits struct{ Read, Write, Files int64 }

// Limits returns the limits that the server states.
func (r Reply) Limits() (Limits, error) {
	f := fields{b: r.body}
	f.uint64() // the maximum length of a packet
	l := Limits{Read: f.limit(), Write: f.limit(), Files: f.limit()}
	if r.kind != packetExtendedReply || f.bad {
		return Limits{}, unexpectedReply{r}
	}
	return l, nil
}

// limit reads a limit. An impossible limit counts as unknown.
func (f *fields) limit() int64 {
	if n := f.uint64(); n < math.MaxInt32 {
		return int64(n)
	}
	return 0
}
