package sftpfs

import (
	"context"
	"errors"
	"math"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pkg/sftp"

	"github.com/sftpsyncer/go-syncfs/internal/abandon"
)

const (
	// An SSH channel moves at most 2 MiB a round trip, however fast the line. So big transfers run over several where
	// the round trip is long; where it is short one is faster.
	longRoundTrip = 10 * time.Millisecond

	// laneBytes is how much there must be to transfer for each further channel to be worth its while. What others have
	// to transfer on the same channel counts, for it comes before; but at least leastLane of each must be its own.
	laneBytes = 8 << 20
	leastLane = 1 << 20

	// manyClaims is how much may be claimed on a channel to which further lanes come: fewFiles do.
	manyClaims = fewFiles * inFlight
)

// lanesFor returns how many channels to use for so many bytes, where others have claimed so much of the first one.
func lanesFor(roundTrip time.Duration, bytes, others int64) int {
	if roundTrip < longRoundTrip {
		return 1
	}
	most := min(bytes/leastLane, DefaultMaxChannels)
	return int(max(min(bytes/laneBytes+others/laneBytes, most), 1))
}

// A share is what a transfer has of a channel. All of them have inFlight bytes together, in proportion to what they
// claim; so no transfer is kept waiting by one that came before it, and what is in memory has a bound. One whose other
// side is slow keeps its share.
type share struct {
	claim    int64 // bytes that this transfer would like to have under way; not 0
	claimed  int64 // by all
	underWay int64
}

// size returns how many bytes the share is.
func (s share) size() int64 { return inFlight * s.claim / max(s.claimed, s.claim) }

// roomiest returns which of the shares has the most left, or -1 if there is not enough in all of them for n bytes more
// than those that the transfer holds, on the way or waiting for what comes before. One that holds none has room.
func roomiest(shares []share, held, n int64) int {
	best, most, sum := -1, int64(math.MinInt64), int64(0)
	for i, s := range shares {
		sum += s.size()
		if left := s.size() - s.underWay; left > most {
			best, most = i, left
		}
	}
	if held > 0 && held+n > sum {
		return -1
	}
	return best
}

// A lane is one handle of the file that a transfer runs over.
type lane struct {
	at       *opened      // nil: the file's own, which may be replaced
	same     func() error // waits until it is known that this is the file; nil: it is known
	session  *session     // whose channel the lane has a share of
	underWay atomic.Int64 // bytes
	failed   atomic.Bool  // to read, so that it takes no more
}

// lanes are what one transfer runs over: the file's own handle, and others of the same file on other channels, which
// join when they are there.
type lanes struct {
	file    *File
	open    func(remote) (*opened, error) // opens the file again
	same    func(*opened) error           // checks that it is the file, while it is read; nil: open does
	claim   int64                         // on each channel
	ctx     context.Context
	cancel  context.CancelFunc // of those to come
	wg      sync.WaitGroup
	have    *taken
	invited int // with those that are there
	coming  chan *lane
	all     []*lane // the first is the file itself
	good    []*lane // of next, kept for the next time
	shares  []share // of those
}

// newLanes returns the one lane that the file itself is, for a transfer of at most so many bytes.
func newLanes(f *File, bytes int64, open func(remote) (*opened, error), same func(*opened) error) *lanes {
	s := f.at.Load().session
	l := &lanes{
		file: f, open: open, same: same, claim: max(min(bytes, inFlight), 1),
		invited: 1, coming: make(chan *lane, DefaultMaxChannels), all: []*lane{{session: s}},
	}
	l.have = &taken{[]*session{s}, l.claim}
	l.ctx, l.cancel = context.WithCancel(f.fs.ctx)
	s.claimed.Add(l.claim)
	return l
}

// invite has lanes opened, unless there are or will be as many as so many bytes more are worth.
func (l *lanes) invite(bytes int64) {
	o := l.file.at.Load()
	others := max(o.claimed.Load()-l.claim, 0)
	for worth := lanesFor(time.Duration(o.conn.roundTrip.Load()), bytes, others); l.invited < worth; l.invited++ {
		l.wg.Go(func() {
			s := l.file.fs.conns.another(l.ctx, l.have)
			if s == nil {
				return
			}
			o, err := abandon.Await(l.ctx, l.file.fs.abandoned, func() (*opened, error) {
				defer s.release()
				return l.open(remote{session: s, ctx: l.ctx})
			}, func(o *opened) { o.close() })
			if err != nil {
				s.claimed.Add(-l.claim)
				return
			}
			one := &lane{at: o, session: s}
			if l.same != nil {
				one.same = sync.OnceValue(func() error { return l.same(o) })
				s.conn.run(func() { _ = one.same() })
			}
			l.coming <- one
		})
	}
}

// next returns the lane for n bytes, or nil if the other transfers leave no room for more than the held ones.
func (l *lanes) next(n, held int64) *lane {
	l.join()
	l.good, l.shares = l.good[:0], l.shares[:0]
	for _, one := range l.all {
		if !one.failed.Load() {
			l.good = append(l.good, one)
			l.shares = append(l.shares, share{l.claim, one.session.claimed.Load(), one.underWay.Load()})
		}
	}
	if i := roomiest(l.shares, held, n); i >= 0 {
		return l.good[i]
	}
	return nil
}

// join takes in the lanes that have come.
func (l *lanes) join() {
	for {
		select {
		case one := <-l.coming:
			l.all = append(l.all, one)
		default:
			return
		}
	}
}

// end closes the lanes. It fails if one of them does, which means for one that was written through that the server may
// not have done everything.
func (l *lanes) end() error {
	l.cancel()
	l.wg.Wait()
	l.join() // the last ones
	for _, one := range l.all {
		one.session.claimed.Add(-l.claim)
	}
	errs := make([]error, len(l.all))
	_, err := abandon.Await(l.file.fs.ctx, l.file.fs.abandoned, func() (struct{}, error) {
		var wg sync.WaitGroup
		for i, one := range l.all[1:] {
			wg.Go(func() { errs[i] = one.at.reduce(one.at.close()) })
		}
		wg.Wait()
		return struct{}{}, errors.Join(errs...)
	}, nil)
	return err
}

// sameForWriting opens the file that is being written once more. SFTP has no identity of files, and the name may lead
// to another one by now; but none of those grows as this one does, from one look to the next.
func (f *File) sameForWriting(r remote) (*opened, error) {
	h, err := r.open(f.path, os.O_WRONLY)
	if err != nil {
		return nil, err
	}
	o := opening(r, h)
	var looks [3]*sftp.FileStat
	for i, h := range []*sftp.File{h, f.at.Load().handle, h} {
		fi, err := h.Stat()
		if err != nil {
			o.close()
			return nil, err
		}
		looks[i] = fi.Sys().(*sftp.FileStat)
	}
	if !growing(looks) {
		o.close()
		return nil, errors.New("another file, or one that does not grow")
	}
	return o, nil
}

// growing tells whether looks, one after the other, can be at one file that is growing.
func growing(looks [3]*sftp.FileStat) bool {
	for i, now := range looks[1:] {
		before := looks[i]
		if now.Size <= before.Size || now.Mtime < before.Mtime ||
			now.Mode != before.Mode || now.UID != before.UID || now.GID != before.GID {
			return false
		}
	}
	return looks[0].Size > 0
}
