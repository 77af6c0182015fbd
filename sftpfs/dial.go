package sftpfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// A dialer makes connections and sessions.
type dialer struct {
	cfg  Config
	keys []ssh.Signer // of cfg.KeyFiles
	look func()       // called at each look at a connection
}

// connect connects, logs in and starts SFTP, all within DialTimeout. x/crypto and pkg/sftp bound none of that
// themselves; closing the connection ends whichever step it is in.
func (d *dialer) connect(ctx context.Context) (*session, error) {
	ctx, cancel := d.bounded(ctx)
	defer cancel()
	for wait := firstPause; ; wait *= 2 {
		s, dropped, err := d.dial(ctx)
		if err == nil {
			return s, nil
		}
		// A server that has too many logins under way (MaxStartups of OpenSSH) drops some at random, unheard.
		if dropped && wait <= lastPause && sleep(ctx, wait/2+rand.N(wait/2)) {
			continue
		}
		return nil, d.unreachable(ctx, err)
	}
}

func (d *dialer) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d.cfg.DialTimeout, fmt.Errorf("not connected after %v", d.cfg.DialTimeout))
}

// sleep returns true after a time, false when ctx ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// dial also tells whether the server dropped the connection before it said a word.
func (d *dialer) dial(ctx context.Context) (s *session, dropped bool, err error) {
	conn, err := d.cfg.Dial(ctx, "tcp", d.cfg.Addr)
	if err != nil {
		return nil, false, err
	}
	live := &liveConn{Conn: conn}
	stop := context.AfterFunc(ctx, func() { live.Close() })
	s, err = d.start(ctx, live)
	if !stop() || err != nil {
		live.Close()
		if s != nil {
			s.conn.fail(err)
			s.conn.end()
		}
		return nil, broken(err) && !live.greeted.Load() && ctx.Err() == nil, err
	}
	return s, false, nil
}

// start logs in over conn, which is the caller's to close when that fails.
func (d *dialer) start(ctx context.Context, conn *liveConn) (*session, error) {
	log, err := d.login(ctx)
	if err != nil {
		return nil, err
	}
	defer log.done()
	sshConn, chans, reqs, err := ssh.NewClientConn(conn, d.cfg.Addr, log.config)
	if err != nil {
		return nil, log.explain(err)
	}
	c := newConnection(d.cfg.Addr)
	c.conn, c.ssh = conn, ssh.NewClient(sshConn, chans, reqs)
	c.wg.Go(func() { endForgotten(c.ssh) })
	s, err := d.session(c)
	if err != nil {
		c.fail(err)
		c.end()
		return nil, err
	}
	c.wg.Go(func() {
		c.keepAlive(d.cfg.IdleTimeout, pulse{
			received: conn.received.Load,
			probe: func() {
				_, _, _ = c.ssh.SendRequest("keepalive@openssh.com", true, nil) // any answer will do
			},
			ask:  func(s *session) { _, _ = s.client.RealPath(".") },
			look: d.look,
		})
	})
	return s, nil
}

// session starts SFTP on another channel of c.
func (d *dialer) session(c *connection) (*session, error) {
	channel, requests, err := c.ssh.OpenChannel("session", nil)
	if err != nil {
		return nil, fmt.Errorf("opening a channel: %w", err)
	}
	c.wg.Go(func() { ssh.DiscardRequests(requests) })
	c.wg.Go(func() { _, _ = io.Copy(io.Discard, channel.Stderr()) })
	ok, err := channel.SendRequest("subsystem", true, ssh.Marshal(struct{ Name string }{"sftp"}))
	if err == nil && !ok {
		err = errors.New("the server has none")
	}
	var client *sftp.Client
	w := newWire(channel)
	if err == nil {
		client, err = sftp.NewClientPipe(w, w, sftp.MaxPacketUnchecked(largePacket))
	}
	if err != nil {
		w.Close()
		return nil, fmt.Errorf("starting SFTP: %w", err)
	}
	s := newSession(client, c)
	s.wire = w
	if s.offers(extensionLimits) {
		w.ask(extensionLimits, s.learn)
	}
	c.wg.Go(s.watch)
	if err := s.resolve(d.cfg.Root); err != nil {
		s.client.Close()
		return nil, fmt.Errorf("login directory: %w", err)
	}
	return s, nil
}

func (d *dialer) extend(ctx context.Context, c *connection) (*session, error) {
	ctx, cancel := d.bounded(ctx)
	defer cancel()
	return await(ctx, func() (*session, error) { return d.session(c) }, func(s *session) {
		s.fail(errIdle)
		s.wire.Close()
	})
}

// unreachable says why there is no session: ErrHostKey and ErrAuth as they are, everything else as ErrUnavailable.
func (d *dialer) unreachable(ctx context.Context, err error) error {
	if errors.Is(err, ErrHostKey) {
		return err
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx) // what failed, failed because of it
	}
	if errors.Is(err, ErrAuth) {
		return err
	}
	return fmt.Errorf("%w: %s: %v", ErrUnavailable, d.cfg.Addr, err)
}

// A login is one attempt to log in.
type login struct {
	config   *ssh.ClientConfig
	accepted bool        // the host key was; what fails after that fails at authentication
	hostKey  error       // why it was not
	known    *knownHosts // nil: Config.HostKeyCallback
	closers  []io.Closer // what authentication opened
	addr     string
}

func (l *login) done() {
	for _, c := range l.closers {
		c.Close()
	}
}

// explain finds out what an error of the handshake means; x/crypto has few types for it.
func (l *login) explain(err error) error {
	var negotiation *ssh.AlgorithmNegotiationError
	switch {
	case l.hostKey != nil:
		return l.hostKey
	case errors.As(err, &negotiation) && negotiation.What == "host key" && l.known != nil:
		return l.known.noCommonType(l.addr, negotiation.RequestedAlgorithms)
	case l.accepted && !broken(err):
		return fmt.Errorf("%w: %s: user %q: %v", ErrAuth, l.addr, l.config.User, err)
	default:
		return err
	}
}

// broken tells whether err is about the connection, not about what came over it.
func broken(err error) bool {
	var netErr net.Error
	return errors.As(err, &netErr) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe)
}

func (d *dialer) login(ctx context.Context) (*login, error) {
	l := &login{addr: d.cfg.Addr}
	check, algorithms := d.cfg.HostKeyCallback, []string(nil)
	if check == nil {
		known, err := readKnownHosts(d.cfg.KnownHosts)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %v", ErrHostKey, d.cfg.Addr, err)
		}
		l.known = known
		check, algorithms = known.check, known.algorithms(d.cfg.Addr)
	}
	l.config = &ssh.ClientConfig{
		User:              d.cfg.User,
		HostKeyAlgorithms: algorithms,
		HostKeyCallback: func(host string, remote net.Addr, key ssh.PublicKey) error {
			if err := check(host, remote, key); err != nil {
				l.hostKey = hostKeyRefused(d.cfg.Addr, key, err)
				return l.hostKey
			}
			l.accepted = true
			return nil
		},
	}
	l.config.Auth = d.methods(ctx, l)
	return l, nil
}
