package sftpfs

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/pkg/sftp"
)

const (
	// An SSH channel moves at most 2 MiB a round trip, however fast the line. So a big transfer runs over several where
	// the round trip is long; where it is short one is faster.
	longRoundTrip = 10 * time.Millisecond

	// laneBytes is how much there must be to transfer for each further channel to be worth its while.
	laneBytes = 8 << 20
)

// lanesFor returns how many channels to use for so many bytes.
func lanesFor(roundTrip time.Duration, bytes int64) int {
	if roundTrip < longRoundTrip {
		return 1
	}
	return int(min(max(bytes/laneBytes, 1), DefaultMaxChannels))
}

// lanes are what one transfer runs over: the file's own handle, and others of the same file on other channels, which
// join when they are there.
type lanes struct {
	file   *File
	cancel context.CancelFunc // of those to come
	wg     sync.WaitGroup
	coming chan *opened
	open   []*opened // the first is nil: the file itself
	turn   int
}

// newLanes returns the one lane that the file itself is.
func newLanes(f *File) *lanes {
	return &lanes{file: f, open: []*opened{nil}, coming: make(chan *opened, DefaultMaxChannels), cancel: func() {}}
}

// invite begins to open lanes for a transfer of so many bytes more. It is called once. same opens the file again.
func (l *lanes) invite(bytes int64, same func(remote) (*opened, error)) {
	f := l.file
	o := f.at.Load()
	var ctx context.Context
	ctx, l.cancel = context.WithCancel(f.fs.ctx)
	have := &taken{[]*session{o.session}}
	for range lanesFor(time.Duration(o.conn.roundTrip.Load()), bytes) - 1 {
		l.wg.Go(func() {
			s := f.fs.conns.another(ctx, have)
			if s == nil {
				return
			}
			lane, err := await(ctx, func() (*opened, error) {
				defer s.release()
				return same(remote{s, ctx})
			}, func(o *opened) { o.close() })
			if err == nil {
				l.coming <- lane
			}
		})
	}
}

// next returns the lane whose turn it is: nil for the file itself.
func (l *lanes) next() *opened {
	l.turn = (l.turn + 1) % len(l.open)
	return l.open[l.turn]
}

// width returns how many lanes there are, with those that have come.
func (l *lanes) width() int {
	for {
		select {
		case o := <-l.coming:
			l.open = append(l.open, o)
		default:
			return len(l.open)
		}
	}
}

// end closes the lanes. It fails if one of them does, which means for one that was written through that the server may
// not have done everything.
func (l *lanes) end() error {
	l.cancel()
	l.wg.Wait()
	l.width() // takes the last ones
	errs := make([]error, len(l.open))
	_, err := await(l.file.fs.ctx, func() (struct{}, error) {
		var wg sync.WaitGroup
		for i, o := range l.open[1:] {
			wg.Go(func() { errs[i] = o.reduce(o.close()) })
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
	own := f.at.Load()
	var looks [3]*sftp.FileStat
	for i, h := range []*sftp.File{own.handle, h, own.handle} {
		fi, err := h.Stat()
		if err != nil {
			o.close()
			return nil, err
		}
		looks[i] = fi.Sys().(*sftp.FileStat)
	}
	if !between(looks) {
		o.close()
		return nil, errors.New("another file, or one that does not grow")
	}
	return o, nil
}

// between tells whether the second look can be at the file of the first and the third, which is growing.
func between(looks [3]*sftp.FileStat) bool {
	before, at, after := looks[0], looks[1], looks[2]
	return before.Size > 0 && before.Size <= at.Size && at.Size <= after.Size &&
		before.Mtime <= at.Mtime && at.Mtime <= after.Mtime &&
		before.Mode == at.Mode && before.UID == at.UID && before.GID == at.GID
}
