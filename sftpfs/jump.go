package sftpfs

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// jumps returns the dialer of the last jump host before the host of cfg, or nil if there is none. Each jump host is
// reached through the one before. behind is the number of hosts that are reached through the host of cfg.
func jumps(cfg Config, behind int) (*dialer, error) {
	behind += len(cfg.ProxyJump)
	if behind > maxJumps {
		return nil, fmt.Errorf("more than %d hosts to connect through", maxJumps)
	}
	var last *dialer
	for i, jump := range cfg.ProxyJump {
		switch {
		case i == 0 && jump.Dial == nil:
			jump.Dial = cfg.Dial
		case i > 0 && (jump.Dial != nil || len(jump.ProxyJump) > 0):
			return nil, fmt.Errorf("jump host %s: it is reached through the one before", jump.Addr)
		case i > 0:
			jump.ProxyJump = []Config{} // overrides SSHConfig
		}
		d, err := newDialer(jump, behind)
		if err != nil {
			return nil, fmt.Errorf("jump host %s: %w", jump.Addr, err)
		}
		if i > 0 {
			d.through = last
		}
		last = d
	}
	return last, nil
}

// maxJumps bounds the number of jump hosts, because those in SSHConfig may form a cycle.
const maxJumps = 8

// reach connects to the host. via is the connection to the jump host, nil if there is none. dropped is that of dial.
func (d *dialer) reach(ctx context.Context) (conn net.Conn, via *connection, dropped bool, err error) {
	if d.through == nil {
		conn, err = d.cfg.Dial(ctx, "tcp", d.cfg.Addr)
		return conn, nil, false, err
	}
	t, dropped, err := withConnection(ctx, d.through, func(via *connection) (tunnel, error) {
		conn, err := via.ssh.Dial("tcp", d.cfg.Addr)
		if err != nil {
			err = fmt.Errorf("%s is not reached: %w", d.cfg.Addr, err)
		}
		return tunnel{conn, via}, err
	})
	if err != nil {
		return nil, nil, dropped, fmt.Errorf("jump host %s: %w", d.through.cfg.Addr, err)
	}
	return t, t.via, false, nil
}

// A tunnel is a connection through a jump host. It has the connection to that host to itself.
type tunnel struct {
	net.Conn
	via *connection
}

// SetLinger applies to the connection that the tunnel runs through.
func (t tunnel) SetLinger(seconds int) error { return t.via.conn.SetLinger(seconds) }

// Close closes the connection that the tunnel runs through. Closing only the tunnel sends a message, which could block
// forever.
func (t tunnel) Close() error {
	t.via.fail(errors.New("what ran through it was closed"))
	return nil
}
