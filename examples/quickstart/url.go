package main

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"path"
	"strings"
	"sync"

	"github.com/spf13/afero"

	"github.com/sftpsyncer/go-syncfs/sftpfs"
)

// atURL uses the server of the -url flag, in a directory of its own. As the server cannot be stopped from here, the
// connection to it is cut instead.
func atURL(ctx context.Context, o options) (*server, error) {
	config, err := sftpfs.ParseURL(o.url)
	if err != nil {
		return nil, err
	}
	if o.key != "" {
		config.KeyFiles = []string{o.key}
	}
	if o.knownHosts != "" {
		config.KnownHosts = []string{o.knownHosts}
	}
	base, err := sftpfs.New(config)
	if err != nil {
		return nil, err
	}
	folder := "quickstart-" + strings.ToLower(rand.Text()[:10])
	if err := base.WithContext(ctx).Mkdir(folder, 0o755); err != nil {
		return nil, errors.Join(err, base.Close())
	}
	link := &network{}
	config.Dial = link.dial
	config.Root = path.Join(config.Root, folder)
	remote, err := sftpfs.New(config)
	if err != nil {
		return nil, errors.Join(err, base.RemoveAll(folder), base.Close())
	}
	return &server{
		name:     config.Addr + ", in the new directory " + config.Root + ", which is removed at the end",
		remote:   remote,
		observer: afero.NewBasePathFs(base, folder),
		down:     "The connection is cut, and a new one is refused.",
		takeOff:  link.cut,
		putBack:  link.mend,
		close: func() error {
			return errors.Join(remote.Close(), base.RemoveAll(folder), base.Close())
		},
	}, nil
}

// network dials, and can be cut.
type network struct {
	mu    sync.Mutex // guards what follows
	off   bool
	conns []net.Conn
}

var errCut = errors.New("the network is cut")

func (n *network) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.off {
		conn.Close()
		return nil, errCut
	}
	n.conns = append(n.conns, conn)
	return conn, nil
}

func (n *network) cut() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.off = true
	for _, conn := range n.conns {
		conn.Close()
	}
	n.conns = nil
	return nil
}

func (n *network) mend() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.off = false
	return nil
}
