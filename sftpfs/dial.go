package sftpfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// A dialer makes sessions.
type dialer struct {
	cfg  Config
	keys []ssh.Signer // of cfg.KeyFiles
}

// dial connects, logs in and starts SFTP, all within DialTimeout. x/crypto and pkg/sftp bound none of that
// themselves; closing the connection ends whichever step it is in.
func (d *dialer) dial(ctx context.Context) (*session, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, d.cfg.DialTimeout,
		fmt.Errorf("not connected after %v", d.cfg.DialTimeout))
	defer cancel()

	conn, err := d.cfg.Dial(ctx, "tcp", d.cfg.Addr)
	if err != nil {
		return nil, d.unreachable(ctx, err)
	}
	live := &liveConn{Conn: conn}
	stop := context.AfterFunc(ctx, func() { live.Close() })
	s, err := d.start(ctx, live)
	if !stop() || err != nil {
		live.Close()
		if s != nil {
			s.close()
		}
		return nil, d.unreachable(ctx, err)
	}
	return s, nil
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
	client := ssh.NewClient(sshConn, chans, reqs)
	sftpClient, err := sftp.NewClient(client, sftp.UseConcurrentWrites(true), sftp.UseFstat(true))
	if err != nil {
		client.Close()
		client.Wait()
		return nil, fmt.Errorf("starting SFTP: %w", err)
	}
	s := newSession(sftpClient, d.cfg.Addr)
	s.conn, s.ssh = conn, client
	if err := s.resolve(d.cfg.Root); err != nil {
		s.close()
		return nil, fmt.Errorf("login directory: %w", err)
	}
	s.watch()
	s.keepAlive(conn, d.cfg.IdleTimeout, func() {
		_, _, _ = client.SendRequest("keepalive@openssh.com", true, nil) // any answer will do, and none is noticed
	})
	return s, nil
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
