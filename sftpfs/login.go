package sftpfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"golang.org/x/crypto/ssh"
)

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
	check, hostKeys := d.cfg.HostKeyCallback, d.cfg.Algorithms.HostKeys
	if check == nil {
		known, err := readKnownHosts(d.cfg.KnownHosts, d.cfg.AcceptNewHost)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %v", ErrHostKey, d.cfg.Addr, err)
		}
		l.known = known
		check = known.check
		if hostKeys, err = known.usable(d.cfg.Addr, hostKeys, d.cfg.AcceptNewHost); err != nil {
			return nil, err
		}
		if d.cfg.AcceptNewHost {
			check = func(host string, remote net.Addr, key ssh.PublicKey) error {
				added, err := known.checkOrAdd(ctx, d.sshHost.HashKnownHosts, host, remote, key)
				if added {
					d.cfg.Logger.WarnContext(ctx, "sftpfs: new host accepted", "addr", host, "type", key.Type(),
						"key", ssh.FingerprintSHA256(key), "file", known.files[0])
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
	l.config.Auth = d.methods(ctx, l)
	return l, nil
}
