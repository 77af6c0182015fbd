package sftpfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/sftpsyncer/go-syncfs/internal/abandon"
	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/sshauth"
	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

// A dialer opens connections and sessions.
type dialer struct {
	cfg     Config
	auth    *sshauth.Credentials // nil: cfg.Auth
	look    func()               // called at each look of keepAlive
	learnt  *learnt
	hashNew bool    // names of new hosts are hashed in the known_hosts file
	through *dialer // for the jump host before this one; nil: none
}

// newDialer returns a dialer for cfg. behind is the number of hosts that are reached through this one.
func newDialer(cfg Config, behind int) (*dialer, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	cfg, host, err := cfg.withSSHConfig()
	if err != nil {
		return nil, err
	}
	if cfg, err = cfg.checked(); err != nil {
		return nil, err
	}
	d := &dialer{cfg: cfg, learnt: cfg.Quirks.learnt(), hashNew: host.HashKnownHosts}
	if cfg.Auth == nil {
		d.auth = &sshauth.Credentials{
			Password: cfg.Password, KeyFiles: cfg.KeyFiles, Passphrase: cfg.Passphrase, IdentityFiles: host.IdentityFiles,
			IdentitiesOnly: host.IdentitiesOnly, Algorithms: cfg.Algorithms.PublicKeys, Logger: cfg.Logger,
		}
		if err := d.auth.ReadKeys(); err != nil {
			return nil, err
		}
	}
	if cfg.HostKeyCallback == nil {
		if _, err := sshauth.ReadKnownHosts(cfg.KnownHosts, cfg.AcceptNewHost); err != nil {
			return nil, err
		}
	}
	d.through, err = jumps(cfg, behind)
	return d, err
}

// connect connects, logs in and starts SFTP, all within DialTimeout. x/crypto and pkg/sftp bound none of that; closing
// the connection ends the current step.
func (d *dialer) connect(ctx context.Context, opened func(*connection)) (*session, error) {
	ctx, cancel := d.bounded(ctx)
	defer cancel()
	for wait := firstPause; ; wait *= 2 {
		s, dropped, err := d.dial(ctx, opened)
		if err == nil {
			return s, nil
		}
		// A server with too many logins in progress (MaxStartups of OpenSSH) drops some connections at random, without
		// a word.
		if dropped && wait <= lastPause && sleep(ctx, wait/2+rand.N(wait/2)) {
			continue
		}
		err = d.unreachable(ctx, err)
		d.cfg.Logger.WarnContext(ctx, "sftpfs: not connected", "addr", d.cfg.Addr, "err", err)
		return nil, err
	}
}

func (d *dialer) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d.cfg.DialTimeout, fmt.Errorf("not connected after %v", d.cfg.DialTimeout))
}

// sleep returns true after the time d. It returns false if ctx ends first.
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

// dial also reports whether the server dropped the connection before it identified itself.
func (d *dialer) dial(ctx context.Context, opened func(*connection)) (s *session, dropped bool, err error) {
	return withConnection(ctx, d, func(c *connection) (*session, error) { return d.start(ctx, c, opened) })
}

// withConnection logs in to the host, and calls begin with the connection. On an error it ends the connection.
func withConnection[T any](ctx context.Context, d *dialer, begin func(*connection) (T, error)) (v T, dropped bool, err error) {
	var none T
	conn, via, dropped, err := d.reach(ctx)
	if err != nil {
		return none, dropped, err
	}
	c := newConnection(d.cfg.Addr)
	c.conn, c.via = &liveConn{Conn: conn}, via
	stop := context.AfterFunc(ctx, func() { c.conn.Close() })
	if err = d.handshake(ctx, c); err == nil {
		v, err = begin(c)
	}
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		c.fail(err)
		c.end()
		return none, broken(err) && !c.conn.identified.Load() && ctx.Err() == nil, err
	}
	return v, false, nil
}

// handshake performs the SSH handshake, which includes the login.
func (d *dialer) handshake(ctx context.Context, c *connection) error {
	log, err := d.login(ctx)
	if err != nil {
		return err
	}
	defer log.done()
	sshConn, chans, reqs, err := ssh.NewClientConn(c.conn, d.cfg.Addr, log.config)
	if err != nil {
		return log.explain(err)
	}
	c.ssh = ssh.NewClient(sshConn, chans, reqs)
	c.run(func() { d.seeOff(c) })
	d.cfg.Logger.DebugContext(ctx, "sftpfs: connected", "addr", c.addr, "user", d.cfg.User,
		"server", string(c.ssh.ServerVersion()))
	return nil
}

// seeOff waits until the connection has ended, and logs that.
func (d *dialer) seeOff(c *connection) {
	c.fail(fmt.Errorf("ended by the server: %w", c.ssh.Wait()))
	level := slog.LevelWarn
	if errors.Is(c.cause, fs.ErrClosed) || errors.Is(c.cause, errIdle) {
		level = slog.LevelDebug
	}
	d.cfg.Logger.Log(context.Background(), level, "sftpfs: connection ended", "addr", c.addr, "cause", c.cause)
}

// start begins to use a connection. With OpenSSH, the first call does not wait for the server's VERSION packet, which
// saves a round trip.
func (d *dialer) start(ctx context.Context, c *connection, opened func(*connection)) (*session, error) {
	s, err := d.session(c, true, opened)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok && !s.initialized() {
		c.run(func() { s.boundInit(time.Until(deadline)) })
	}
	if d.cfg.RequestTimeout > 0 {
		c.run(func() { c.enforceRequestTimeout(d.cfg.RequestTimeout) })
	}
	c.run(func() {
		c.keepAlive(d.cfg.IdleTimeout, pulse{
			received: c.conn.received.Load,
			probe: func() {
				_, _, _ = c.ssh.SendRequest(keepAliveRequest, true, nil) // any answer will do
			},
			ask:  func(s *session) { _, _ = s.client.RealPath(".") },
			look: d.look,
		})
	})
	return s, nil
}

// session starts SFTP on another channel of c. It calls opened when the channel is open. For the first session on
// OpenSSH, it sends requests before the server has answered the earlier ones.
func (d *dialer) session(c *connection, first bool, opened func(*connection)) (*session, error) {
	ahead := first && c.saysOpenSSH()
	open := c.openChannel
	if ahead {
		open = c.openFirst
	}
	began := time.Now()
	channel, requests, err := open()
	if err != nil {
		return nil, fmt.Errorf("opening a channel: %w", err)
	}
	c.measured(time.Since(began))
	opened(c)
	c.run(func() { ssh.DiscardRequests(requests) })
	c.run(func() { _, _ = io.Copy(io.Discard, channel.Stderr()) })
	ok, err := channel.SendRequest("subsystem", true, ssh.Marshal(struct{ Name string }{"sftp"}))
	if err == nil && !ok {
		err = errors.New("the server has none")
	}
	var client *sftp.Client
	w := wire.New(channel, wire.MaxListing)
	w.Limit(d.learnt.requests.most())
	if ahead {
		w.PipelineInit()
	}
	if err == nil {
		client, err = sftp.NewClientPipe(w, w, sftp.MaxPacketUnchecked(largePacket))
	}
	if err != nil {
		w.Close()
		return nil, fmt.Errorf("starting SFTP: %w", err)
	}
	s := newSession(client, c, d.learnt)
	s.wire, s.openSSH, s.modSFTP = w, c.saysOpenSSH(), c.saysModSFTP()
	if ahead || s.offers(wire.ExtensionLimits) { // an OpenSSH without the extension answers that it has none
		s.askLimits()
	}
	c.run(s.watch)
	c.run(func() { s.isOpenSSH() })
	if err := s.resolve(d.cfg.Root); err != nil {
		s.client.Close()
		return nil, err
	}
	return s, nil
}

func (d *dialer) extend(ctx context.Context, c *connection) (*session, error) {
	ctx, cancel := d.bounded(ctx)
	defer cancel()
	s, err := abandon.Await(ctx, nil, func() (*session, error) { return d.session(c, false, func(*connection) {}) }, func(s *session) {
		s.fail(errIdle)
		s.wire.Close()
	})
	if err != nil && ctx.Err() == nil {
		err = c.whyNotExtended(err)
	}
	d.learnt.channels.note(err)
	return s, err
}

// unreachable returns the error of a failed attempt to connect: ErrHostKey and ErrAuth unchanged, everything else as
// ErrUnavailable.
func (d *dialer) unreachable(ctx context.Context, err error) error {
	if errors.Is(err, ErrHostKey) {
		return err
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx) // the step failed because ctx ended
	}
	if errors.Is(err, ErrAuth) {
		return err
	}
	return fmt.Errorf("%w: %s: %s", ErrUnavailable, d.cfg.Addr, printable(err.Error(), maxCause))
}
