package sftpfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"golang.org/x/crypto/ssh"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/sshauth"
)

// A login is one attempt to log in.
type login struct {
	config   *ssh.ClientConfig
	accepted bool                // the host key was accepted; a later failure is one of authentication
	hostKey  error               // why the host key was refused
	known    *sshauth.KnownHosts // nil: Config.HostKeyCallback is used
	done     func()              // to be called after the attempt
	addr     string
}

// explain finds out what an error of the handshake means. x/crypto has few types for such errors.
func (l *login) explain(err error) error {
	var negotiation *ssh.AlgorithmNegotiationError
	switch {
	case l.hostKey != nil:
		return l.hostKey
	case errors.As(err, &negotiation) && negotiation.What == "host key" && l.known != nil:
		return hostKeyError(l.addr, l.known.NoCommonAlgorithm(l.addr, negotiation.RequestedAlgorithms))
	case l.accepted && !broken(err):
		return fmt.Errorf("%w: %s: user %q: %s", ErrAuth, l.addr, l.config.User, printable(err.Error(), maxCause))
	default:
		return err
	}
}

// broken reports whether err is about the connection, not about what was received.
func broken(err error) bool {
	var netErr net.Error
	return errors.As(err, &netErr) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe)
}

func (d *dialer) login(ctx context.Context) (*login, error) {
	l := &login{addr: d.cfg.Addr, done: func() {}}
	check, hostKeys := d.cfg.HostKeyCallback, d.cfg.Algorithms.HostKeys
	if check == nil {
		known, err := sshauth.ReadKnownHosts(d.cfg.KnownHosts, d.cfg.AcceptNewHost)
		if err == nil {
			hostKeys, err = known.Algorithms(d.cfg.Addr, hostKeys, d.cfg.AcceptNewHost)
		}
		if err != nil {
			return nil, hostKeyError(d.cfg.Addr, err)
		}
		l.known = known
		check = known.Check
		if d.cfg.AcceptNewHost {
			check = func(host string, remote net.Addr, key ssh.PublicKey) error {
				file, err := known.CheckOrAdd(ctx, d.hashNew, host, remote, key)
				if file != "" {
					d.cfg.Logger.WarnContext(ctx, "sftpfs: new host accepted", "addr", host, "type", key.Type(),
						"key", ssh.FingerprintSHA256(key), "file", file)
				}
				return err
			}
		}
	}
	l.config = &ssh.ClientConfig{
		User: d.cfg.User,
		Config: ssh.Config{
			Ciphers: d.cfg.Algorithms.Ciphers, MACs: d.cfg.Algorithms.MACs, KeyExchanges: d.cfg.Algorithms.KeyExchanges,
		},
		HostKeyAlgorithms: hostKeys,
		HostKeyCallback: func(host string, remote net.Addr, key ssh.PublicKey) error {
			if err := check(host, remote, key); err != nil {
				l.hostKey = hostKeyRefused(d.cfg.Addr, key, err)
				return l.hostKey
			}
			l.accepted = true
			return nil
		},
	}
	if l.config.Auth = d.cfg.Auth; l.config.Auth == nil {
		l.config.Auth, l.done = d.auth.Methods(ctx)
	}
	return l, nil
}

// hostKeyError returns the ErrHostKey for an addr of which no host key can be accepted. why is not wrapped: it could
// match a sentinel that stands for an answer of the server.
func hostKeyError(addr string, why error) error {
	return fmt.Errorf("%w: %s: %v", ErrHostKey, addr, why)
}

func hostKeyRefused(addr string, key ssh.PublicKey, why error) error {
	return fmt.Errorf("%w: %s: offered %s %s: %w", ErrHostKey, addr, key.Type(), ssh.FingerprintSHA256(key), why)
}
