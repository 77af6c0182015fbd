package syncfs

import (
	"errors"
	"io"
	"time"
)

// The pauses between the attempts of one Push grow from the first to the longest. Each is shortened by up to half at
// random, so that not all clients of a restarted server come at once.
const (
	firstPause   = 200 * time.Millisecond
	longestPause = 5 * time.Second
)

// defaultRetryFor is how long Push retries without an answer. That spans the restart of a server or a change of
// network, and is short enough to wait for.
const defaultRetryFor = 10 * time.Second

// pause returns the pause before attempt n+1 in a row without progress. luck is in [0, 1).
func pause(n int, luck float64) time.Duration {
	d := longestPause
	if n < 10 {
		d = min(d, firstPause<<n)
	}
	return d - time.Duration(luck*float64(d/2))
}

// transient reports whether a retry may succeed.
func transient(err error) bool {
	return !final(err) && (errors.Is(err, ErrUnavailable) && fatal(err) || errors.Is(err, io.ErrShortWrite) || errors.Is(err, errNotVerified))
}

// patience decides how long one Push retries.
type patience struct {
	limit time.Duration
	idle  time.Time // since when there was no progress
	tries int       // in a row
}

// progress records that a step or a transfer made progress.
func (p *patience) progress(now time.Time) { p.idle, p.tries = now, 0 }

// next returns the pause before the next attempt; false if there should be none.
func (p *patience) next(now time.Time, luck float64) (time.Duration, bool) {
	d := pause(p.tries, luck)
	p.tries++
	return d, now.Sub(p.idle)+d <= p.limit
}
