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
	// An SSH channel moves at most 2 MiB a round trip, however fast the line. So big transfers run over several channels in
	// parallel where the round trip is long; where it is short one is faster.
	longRoundTrip = 10 * time.Millisecond

	// bytesPerChannel is how much there must be to transfer for each further channel to be worth its while. What others have
	// to transfer on the same channel counts, for it comes before; but at least minChannelBytes for each must be its own.
	bytesPerChannel = 8 << 20
	minChannelBytes = 1 << 20

	// maxClaims is how much may be claimed on a channel that further transfers are spread over: minFileLimit may claim all of it.
	maxClaims = minFileLimit * inFlight
)

// channelsFor returns how many channels to use for so many bytes, where others have claimed so much of the first one.
func channelsFor(roundTrip time.Duration, bytes, others int64) int {
	if roundTrip < longRoundTrip {
		return 1
	}
	most := min(bytes/minChannelBytes, DefaultMaxChannels)
	return int(max(min(bytes/bytesPerChannel+others/bytesPerChannel, most), 1))
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

// leastUsed returns which of the shares has the most left, or -1 if there is not enough in all of them for n bytes more
// than those that the transfer holds, on the way or waiting for what comes before. One that holds none has room.
func leastUsed(shares []share, held, n int64) int {
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

// A parallelChannel is one of the channels that a transfer runs over, with a handle of the file.
type parallelChannel struct {
	at       *opened      // nil: the file's own, which may be replaced
	same     func() error // waits until it is known that this is the file; nil: it is known
	session  *session     // whose channel it is; the transfer has a share of that
	underWay atomic.Int64 // bytes
	failed   atomic.Bool  // to read, so that it takes no more
}

// parallelChannels are what one transfer runs over: the file's own channel, and others with handles of the same file, which are
// added when they are there.
type parallelChannels struct {
	file   *File
	open   func(remote) (*opened, error) // opens the file again
	same   func(*opened) error           // checks that it is the file, while it is read; nil: open does
	claim  int64                         // on each channel
	ctx    context.Context
	cancel context.CancelFunc // of those to come
	wg     sync.WaitGroup
	have   *taken
	wanted int                   // channels, with those that are there
	ready  chan *parallelChannel // to be collected
	all    []*parallelChannel    // the first is the file itself
	good   []*parallelChannel    // of next, kept for the next time
	shares []share               // of those
}

// newParallelChannels returns the file's own channel, for a transfer of at most so many bytes.
func newParallelChannels(f *File, bytes int64, open func(remote) (*opened, error), same func(*opened) error) *parallelChannels {
	s := f.at.Load().session
	c := &parallelChannels{
		file: f, open: open, same: same, claim: max(min(bytes, inFlight), 1),
		wanted: 1, ready: make(chan *parallelChannel, DefaultMaxChannels), all: []*parallelChannel{{session: s}},
	}
	c.have = &taken{[]*session{s}, c.claim}
	c.ctx, c.cancel = context.WithCancel(f.fs.ctx)
	s.claimed.Add(c.claim)
	return c
}

// openMore opens the file on further channels, unless there are or will be as many as so many bytes more are worth.
func (c *parallelChannels) openMore(bytes int64) {
	o := c.file.at.Load()
	others := max(o.claimed.Load()-c.claim, 0)
	for worth := channelsFor(time.Duration(o.conn.roundTrip.Load()), bytes, others); c.wanted < worth; c.wanted++ {
		c.wg.Go(func() {
			s := c.file.fs.conns.another(c.ctx, c.have)
			if s == nil {
				return
			}
			o, err := abandon.Await(c.ctx, c.file.fs.abandoned, func() (*opened, error) {
				defer s.release()
				return c.open(remote{session: s, ctx: c.ctx})
			}, func(o *opened) { o.close() })
			if err != nil {
				s.claimed.Add(-c.claim)
				return
			}
			one := &parallelChannel{at: o, session: s}
			if c.same != nil {
				one.same = sync.OnceValue(func() error { return c.same(o) })
				s.conn.run(func() { _ = one.same() })
			}
			c.ready <- one
		})
	}
}

// next returns the channel for n bytes, or nil if the other transfers leave no room for more than the held ones.
func (c *parallelChannels) next(n, held int64) *parallelChannel {
	c.collect()
	c.good, c.shares = c.good[:0], c.shares[:0]
	for _, one := range c.all {
		if !one.failed.Load() {
			c.good = append(c.good, one)
			c.shares = append(c.shares, share{c.claim, one.session.claimed.Load(), one.underWay.Load()})
		}
	}
	if i := leastUsed(c.shares, held, n); i >= 0 {
		return c.good[i]
	}
	return nil
}

// collect adds the channels that are there.
func (c *parallelChannels) collect() {
	for {
		select {
		case one := <-c.ready:
			c.all = append(c.all, one)
		default:
			return
		}
	}
}

// end closes the channels. It fails if one of them does, which means for one that was written through that the server may
// not have done everything.
func (c *parallelChannels) end() error {
	c.cancel()
	c.wg.Wait()
	c.collect() // the last ones
	for _, one := range c.all {
		one.session.claimed.Add(-c.claim)
	}
	errs := make([]error, len(c.all))
	_, err := abandon.Await(c.file.fs.ctx, c.file.fs.abandoned, func() (struct{}, error) {
		var wg sync.WaitGroup
		for i, one := range c.all[1:] {
			wg.Go(func() { errs[i] = one.at.reduce(one.at.close()) })
		}
		wg.Wait()
		return struct{}{}, errors.Join(errs...)
	}, nil)
	return err
}

// openAgainToWrite opens the file that is being written once more. SFTP has no identity of files, and the name may lead
// to another one by now; but none of those grows as this one does, from one look to the next.
func (f *File) openAgainToWrite(r remote) (*opened, error) {
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
