package sftpfs

import (
	"cmp"
	"sync"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

// fewestRequests is the least limit that is learnt. With fewer requests in flight, a long round trip makes everything slow,
// and a server that ends the connection all the same has another reason.
const fewestRequests = 4

// A requestLimit learns how many requests of one channel may wait for their answers. Some servers end the connection when
// there are more. An end says nothing of its reason, so it takes two in a row: each while more requests waited than the
// channel had had answered at a time, and none answered as many in between. Then the limit is half of what waited. A
// lost network that is used as usual does not lead to that, because it was used as usual before.
type requestLimit struct {
	mu     sync.Mutex // guards the following
	stated int        // by the program; 0: nothing
	learnt int        // 0: nothing
	lost   int        // how many requests waited at an end that may have been due to them; 0: there was none
	ends   int        // of this kind so far
}

// most returns how many requests may be in flight on a channel.
func (l *requestLimit) most() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return cmp.Or(l.stated, l.learnt, wire.MaxRequests)
}

// limited reports whether fewer requests than usual may be in flight.
func (l *requestLimit) limited() bool { return l.most() < wire.MaxRequests }

// generation is for a new session to pass to ended.
func (l *requestLimit) generation() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ends
}

// ended records the end of a session of this generation, while so many requests waited; 0: it was ended here. depth is
// that of its wire. The sessions that end together count once.
func (l *requestLimit) ended(generation, depth, waiting int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if depth >= l.lost {
		l.lost = 0
	}
	switch {
	case waiting <= max(depth, fewestRequests):
	case generation != l.ends:
		if l.lost > 0 {
			l.lost = max(l.lost, waiting)
		}
	case l.lost == 0:
		l.lost = waiting
		l.ends++
	default:
		l.learnt = max(max(l.lost, waiting)/2, fewestRequests)
		l.lost = 0
		l.ends++
	}
}
