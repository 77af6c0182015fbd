package wire

import (
	"encoding/binary"
	"slices"
)

// handlePrediction predicts which handle OpenSSH gives out next, so that requests on it can be sent together with the one that
// opens it: OpenSSH numbers its handles, and gives out again the number that was given back last (handle_new in sftp-server.c,
// unchanged since 2008).
//
// Requests that are sent in this way open, use and close their handle without another request between them. So whatever
// becomes of them, the next handle is the same one afterwards, and none that is in use is ever predicted. The prediction may be
// wrong for a server of another make, which then gets requests about a handle that nobody has.
type handlePrediction struct {
	used    map[uint32]struct{}
	free    []uint32 // given back; the last one is given out next
	made    uint32   // numbers that were given out
	opening int      // requests, not pipelined on a prediction, that have no answer; each may get a handle
	failed  bool     // the server gives out other handles, or does not answer in order
}

// next returns the handle that the next request to open something gets; false: it cannot be predicted.
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

// opened registers that a handle was given out.
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

// closed registers that a handle is given back.
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

// send registers a request that was not sent on a prediction.
func (h *handlePrediction) send(kind byte, body []byte) {
	switch kind {
	case packetOpen, packetOpendir:
		h.opening++
	case packetClose:
		f := fields{b: body}
		h.closed(f.string())
	}
}

// answer registers the answer to a request that opens something, for which that handle was predicted, or none. It returns false
// if the prediction was wrong.
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
