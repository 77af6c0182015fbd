package wire

import (
	"encoding/binary"
	"slices"
)

// handlePrediction predicts the handle that OpenSSH gives out next, so that requests on it can be sent together with
// the request that opens it. OpenSSH numbers its handles, and reuses the number that was given back last (handle_new in
// sftp-server.c, unchanged since 2008).
//
// Requests that are sent in this way open, use and close their handle without another request in between. So whatever
// becomes of them, the next handle is the same afterwards, and a handle in use is never predicted. The prediction may
// be wrong for another server, which then receives requests on a handle that does not exist.
type handlePrediction struct {
	used    map[uint32]struct{}
	free    []uint32 // given back; the last one is given out next
	made    uint32   // how many numbers were given out
	opening int      // unanswered requests, not sent on a prediction, that may get a handle
	failed  bool     // the server gives out other handles, or does not answer in order
}

// next returns the handle that the next request to open something gets. It returns false if that cannot be predicted.
func (h *handlePrediction) next() (string, bool) {
	if h.failed || h.opening > 0 {
		return "", false
	}
	number := h.made
	if len(h.free) > 0 {
		number = h.free[len(h.free)-1]
	}
	return string(binary.BigEndian.AppendUint32(nil, number)), true
}

// opened records that a handle was given out.
func (h *handlePrediction) opened(handle string) {
	number, ok := handleNumber(handle)
	_, twice := h.used[number]
	switch i := slices.Index(h.free, number); {
	case !ok || twice:
		h.failed = true
		return
	case i >= 0:
		h.free = slices.Delete(h.free, i, i+1)
	case number == h.made:
		h.made++
	default:
		h.failed = true
		return
	}
	if h.used == nil {
		h.used = make(map[uint32]struct{})
	}
	h.used[number] = struct{}{}
}

// closed records that a handle is given back.
func (h *handlePrediction) closed(handle string) {
	number, ok := handleNumber(handle)
	if _, used := h.used[number]; !ok || !used {
		h.failed = true
		return
	}
	delete(h.used, number)
	h.free = append(h.free, number)
}

func handleNumber(handle string) (uint32, bool) {
	if len(handle) != 4 {
		return 0, false
	}
	return binary.BigEndian.Uint32([]byte(handle)), true
}

// send records a request that was not sent on a prediction.
func (h *handlePrediction) send(kind byte, body []byte) {
	switch kind {
	case packetOpen, packetOpendir:
		h.opening++
	case packetClose:
		f := fields{b: body}
		h.closed(f.string())
	}
}

// answer records the answer to a request that opens something. predicted is the handle that was predicted for it, "" if
// none was. answer returns false if the prediction was wrong.
func (h *handlePrediction) answer(predicted string, r Reply) bool {
	if predicted == "" {
		h.opening--
	}
	switch handle, err := r.Handle(); {
	case err != nil:
	case predicted == "":
		h.opened(handle)
	case handle != predicted:
		h.failed = true
		return false
	}
	return true
}
