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
	// longRoundTrip is the round trip from which on large transfers run over several channels in parallel: an SSH
	// channel carries at most 2 MiB per round trip, however fast the network is. With a shorter round trip, one channel
	// is faster.
	longRoundTrip = 10 * time.Millisecond

	// bytesPerChannel is how many bytes a transfer must have for each further channel to pay off. Bytes that other
	// transfers have claimed on the same channel count, too, because they go first. But the transfer must have at least
	// minChannelBytes of its own for each channel.
	bytesPerChannel = 8 << 20
	minChannelBytes = 1 << 20

	// maxClaims is how many bytes may be claimed on a channel before further transfers avoid it: minFileLimit transfers
	// may claim all that a channel has in flight.
	maxClaims = minFileLimit * inFlight
)

// channelsFor returns how many channels to use for a transfer of so many bytes, if others is what other transfers have
// claimed on the first channel.
func channelsFor(roundTrip time.Duration, bytes, others int64) int {
	if roundTrip < longRoundTrip {
		return 1
	}
	most := min(bytes/minChannelBytes, DefaultMaxChannels)
	return int(max(min(bytes/bytesPerChannel+others/bytesPerChannel, most), 1))
}

// A share is the part of a channel that a transfer has. All transfers on a channel have inFlight bytes together, in
// proportion to their claims. So no transfer waits for an earlier one, and the memory in use is bounded. A transfer
// whose other side is slow keeps its share.
type share struct {
	claim    int64 // bytes that this transfer wants in flight; not 0
	claimed  int64 // by all transfers
	underWay int64
}

// size returns the number of bytes in the share.
func (s share) size() int64 { return inFlight * s.claim / max(s.claimed, s.claim) }

// leastUsed returns the index of the share with the most room. It returns -1 if all shares together have no room for n
// bytes more than those held, which the transfer has in flight or which wait for earlier ones. A transfer that holds
// none always has room.
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

// A parallelChannel is one of the channels of a transfer, with a handle of the file.
type parallelChannel struct {
	at       *opened      // nil: the file's own handle, which may be replaced
	same     func() error // waits until it is known whether this is the same file; nil: it is
	session  *session     // whose channel it is; the transfer has a share of that channel
	underWay atomic.Int64 // bytes
	failed   atomic.Bool  // a read failed, so it gets no more
}

// parallelChannels are the channels of one transfer: the file's own, and others with handles of the same file, which
// join in when they are open.
type parallelChannels struct {
	file   *File
	open   func(remote) (*opened, error) // opens the file again
	same   func(*opened) error           // checks that it is the same file, while it is read; nil: open does
	claim  int64                         // bytes claimed on each channel
	ctx    context.Context
	cancel context.CancelFunc // of the opening of further channels
	wg     sync.WaitGroup
	have   *taken
	wanted int                   // number of channels, open or being opened
	ready  chan *parallelChannel // open channels that are not in all yet
	all    []*parallelChannel    // the first is the file's own
	good   []*parallelChannel    // memory of next for its next call
	shares []share               // of good
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

// openMore opens the file on further channels in the background, if so many more bytes justify them.
func (c *parallelChannels) openMore(bytes int64) {
	o := c.file.at.Load()
	if o.learnt.files.limited() {
		return
	}
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

// next returns the channel for n more bytes. It returns nil if the other transfers leave no room for them beside the
// held ones.
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

// collect adds the channels that have been opened.
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

// end closes the other channels. If it fails on a channel that was written through, some writes may be lost.
func (c *parallelChannels) end() error {
	c.cancel()
	c.wg.Wait()
	c.collect() // those opened last
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
// to another file by now. But no other file grows from one look to the next as this one does.
func (f *File) openAgainToWrite(r remote) (*opened, error) {
	h, err := r.open(f.path, os.O_WRONLY)
	if err != nil {
		return nil, err
	}
	o := opening(r, h, new(atomic.Pointer[version]))
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

// growing reports whether looks, in this order, can be of one file that is growing.
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
