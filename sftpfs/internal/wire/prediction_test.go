package wire

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func numbered(n uint32) string { return string(binary.BigEndian.AppendUint32(nil, n)) }

// A handleTable numbers handles as OpenSSH does.
type handleTable struct {
	used []bool
	free []uint32
}

func (s *handleTable) open() string {
	if len(s.free) == 0 {
		s.free = append(s.free, uint32(len(s.used)))
		s.used = append(s.used, false)
	}
	last := len(s.free) - 1
	n := s.free[last]
	s.free, s.used[n] = s.free[:last], true
	return numbered(n)
}

func (s *handleTable) close(handle string) bool {
	n, _ := handleNumber(handle)
	if int(n) >= len(s.used) || !s.used[n] {
		return false
	}
	s.free, s.used[n] = append(s.free, n), false
	return true
}

// Whatever is opened and closed, and fails, and however late the answers come: what is predicted comes true, or, if it is
// not opened, belongs to nobody.
func TestHandlesArePredicted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var server handleTable
		var h handlePrediction
		var answers []func()
		var ours []string // that are open, as we know
		opens := rapid.Bool()
		t.Repeat(map[string]func(*rapid.T){
			"open": func(t *rapid.T) {
				h.send(packetOpen, nil)
				a := Reply{kind: packetStatus}
				if opens.Draw(t, "it does") {
					a = Reply{kind: packetHandle, body: body{}.string(server.open())}
				}
				answers = append(answers, func() {
					require.True(t, h.answer("", a))
					if handle, err := a.Handle(); err == nil {
						ours = append(ours, handle)
					}
				})
			},
			"close": func(t *rapid.T) {
				if len(ours) == 0 {
					t.Skip("none is open")
				}
				i := rapid.IntRange(0, len(ours)-1).Draw(t, "which")
				h.send(packetClose, body{}.string(ours[i]))
				require.True(t, server.close(ours[i]))
				ours = slices.Delete(ours, i, i+1)
			},
			"open, use and close": func(t *rapid.T) {
				predicted, ok := h.next()
				if !ok {
					t.Skip("not known")
				}
				a := Reply{kind: packetStatus}
				if opens.Draw(t, "it does") {
					a = Reply{kind: packetHandle, body: body{}.string(server.open())}
				}
				closed := server.close(predicted)
				require.Equal(t, a.kind == packetHandle, closed, "it is nobody else's")
				answers = append(answers, func() { require.True(t, h.answer(predicted, a)) })
			},
			"answer": func(t *rapid.T) {
				if len(answers) == 0 {
					t.Skip("nothing was asked")
				}
				answers[0]()
				answers = answers[1:]
			},
			"": func(t *rapid.T) {
				_, ok := h.next()
				require.Equal(t, h.opening == 0, ok)
			},
		})
	})
}

// Of a server that gives out others, none is predicted any more once it has.
func TestHandlesOfAnotherMake(t *testing.T) {
	t.Parallel()
	for name, opened := range map[string][]string{
		"words":         {"a handle"},
		"empty":         {""},
		"from one":      {numbered(1)},
		"the same":      {numbered(0), numbered(0)},
		"ever new ones": {numbered(0), numbered(2)},
	} {
		var h handlePrediction
		for _, handle := range opened {
			_, ok := h.next()
			require.True(t, ok, name)
			h.send(packetOpen, nil)
			require.True(t, h.answer("", Reply{kind: packetHandle, body: body{}.string(handle)}), name)
		}
		_, ok := h.next()
		require.False(t, ok, name)
	}
	var h handlePrediction
	predicted, _ := h.next()
	require.False(t, h.answer(predicted, Reply{kind: packetHandle, body: body{}.string(numbered(7))}))
	_, ok := h.next()
	require.False(t, ok, "it was another one")

	h = handlePrediction{}
	h.send(packetClose, body{}.string(numbered(0)))
	_, ok = h.next()
	require.False(t, ok, "one that was never given out is given back")
}

// A server whose answers overtake each other is not known to work in order, whatever it says of itself.
func TestAnswersThatOvertake(t *testing.T) {
	t.Parallel()
	var w Wire
	w.pending = make(map[uint32]pending)
	w.await(7, pending{})
	w.await(8, pending{})
	_, ok := w.answer(8)
	require.True(t, ok)
	require.True(t, w.prediction.failed)
}
