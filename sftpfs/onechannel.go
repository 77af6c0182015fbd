package sftpfs

import (
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// errDropped says that a connection has ended while another channel was being opened on it.
var errDropped = errors.New("the connection ended")

// channelsLearnt tells servers that only refuse another channel on a connection from those that end the connection. It
// takes one such end to learn that, unless the server has accepted another channel before: then it had another cause.
type channelsLearnt struct{ several, one atomic.Bool }

// note records the outcome of opening another channel on a connection.
func (c *channelsLearnt) note(err error) {
	switch {
	case err == nil:
		c.several.Store(true)
	case errors.Is(err, errDropped) && !c.several.Load():
		c.one.Store(true)
	}
}

// only reports whether the server ends a connection on which another channel is opened.
func (c *channelsLearnt) only() bool { return c.one.Load() }

// whyNotExtended returns err, or errDropped if the connection has ended.
func (c *connection) whyNotExtended(err error) error {
	var refusal *ssh.OpenChannelError
	if errors.As(err, &refusal) {
		return err
	}
	const late = time.Second // the end is noticed later than its effects
	timer := time.NewTimer(late)
	defer timer.Stop()
	select {
	case <-c.lost:
		return errDropped
	case <-timer.C:
		return err
	}
}
