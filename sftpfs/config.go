package sftpfs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os/user"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/ssh"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/invalid"
	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/sshauth"
	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/sshconfig"
)

// Defaults of the fields of Config that are zero.
const (
	DefaultDialTimeout    = 30 * time.Second
	DefaultIdleTimeout    = 30 * time.Second
	DefaultRequestTimeout = 15 * time.Minute // a rename in an object store copies the object

	DefaultMaxConnections = 2
	DefaultMaxChannels    = 10 // as many as sshd allows on a connection: MaxSessions of sshd_config(5)
)

// Config says which server to use and how to log in. The zero value of every field but Addr is its default.
type Config struct {
	// Addr is "host" or "host:port"; the port is 22 if absent.
	Addr string

	// User is the name to log in with; "" is the current user's.
	User string

	// Root is the directory on the server that is shown as "/". A relative one is taken from the login directory;
	// "" is the login directory itself. It is not looked at before it is used.
	Root string

	// Password also answers the questions of keyboard-interactive authentication that are not echoed.
	Password string

	// KeyFiles are private keys in a format that ssh-keygen writes. New reads them. Nil stands for what the agent
	// at SSH_AUTH_SOCK holds, then ~/.ssh/id_ed25519, id_ecdsa, id_rsa and so on, those that exist, looked for
	// when a connection is made. A certificate in FILE-cert.pub is offered before the key in FILE; it is read for
	// each connection.
	KeyFiles []string

	// Passphrase is asked for the passphrase of an encrypted key file: by New for KeyFiles, when a connection is
	// made for default keys. Without it an encrypted file among KeyFiles is an error and an encrypted default key
	// is passed over.
	Passphrase func(keyFile string) ([]byte, error)

	// KnownHosts are files in the format of ~/.ssh/known_hosts, which is what nil stands for. They are read anew
	// for each connection. A host that is in none of them is refused with ErrHostKey, and so is one whose key is
	// not the one they list. Certificates of authorities that they list for the host (@cert-authority) are accepted.
	KnownHosts []string

	// AcceptNewHost accepts a host of which KnownHosts have no key, and adds its key to the first of them before anything
	// is sent to it; that file need not exist. A host whose key is another one than they have is refused as ever. Who
	// stands in the way at the first connection is believed. (A file KNOWN_HOSTS.lock beside it keeps programs that do
	// this at the same time apart.)
	AcceptNewHost bool

	// HostKeyCallback replaces KnownHosts and AcceptNewHost. Its errors match ErrHostKey.
	HostKeyCallback ssh.HostKeyCallback

	// Auth replaces Password, KeyFiles and the agent.
	Auth []ssh.AuthMethod

	// Algorithms are those of SSH that are offered to the server. The zero value leaves out what is weak.
	Algorithms Algorithms

	// DialTimeout bounds connecting as a whole: TCP, handshake, authentication and the start of SFTP. 0 is
	// DefaultDialTimeout.
	DialTimeout time.Duration

	// IdleTimeout is the longest silence of the server while an answer is awaited. Then the connection is given up, and
	// every call that waits on it fails with ErrUnavailable. Idle connections are probed, so this also bounds how long a
	// dead one stays unnoticed. If only one SFTP channel is silent, only that is given up, and new calls stop using it
	// after three quarters of the time at most. 0 is DefaultIdleTimeout.
	IdleTimeout time.Duration

	// RequestTimeout is how long the answer to a single SFTP request may take while the server answers others. Then its
	// channel is given up, and the calls on it fail with ErrUnavailable, within another quarter of the time. A call that
	// is sent again waits once more. The time counts from the answers to earlier requests on the channel, so a transfer
	// may take as long as it likes while its parts are answered. On a channel that is silent otherwise, as
	// that of a server which works on one request at a time, IdleTimeout comes first. 0 is DefaultRequestTimeout, a
	// negative one is no limit.
	RequestTimeout time.Duration

	// MaxConnections is how many SSH connections there are at most, and MaxChannels how many SFTP channels on all of
	// them: one to begin with, more for what one can't carry, as far as the server allows. 0 is
	// DefaultMaxConnections and DefaultMaxChannels.
	MaxConnections, MaxChannels int

	// AllowNonAtomicReplace has Rename replace an existing file also on a server that can't do so in one step: the old
	// file is moved aside, and put back if the new one can't take its place. In between there is none of that name, and
	// after a loss of the connection the old one may be left under a name that the error holds.
	AllowNonAtomicReplace bool

	// ProxyJump are hosts to connect through, the first one from here, each other one and then Addr from the one
	// before. Each is logged in to as its own Config says, of which the fields about that matter, and its host key is
	// checked as its own Config says. DialTimeout is for all of them together.
	ProxyJump []Config

	// SSHConfig are files in the format of ~/.ssh/config, which is not read unless it is named here. The host part of
	// Addr is then looked up in them, as ssh does, and they say what this Config does not. New reads them, and fails at
	// what would make the connection less safe: StrictHostKeyChecking no, and NoHostAuthenticationForLocalhost,
	// ProxyCommand and RevokedHostKeys, which are not supported. ProxyCommand is refused even where a ProxyJump stands
	// before it, which has ssh ignore it.
	//
	// HostName, Port, User, IdentityFile, IdentitiesOnly, ProxyJump, UserKnownHostsFile, StrictHostKeyChecking,
	// HashKnownHosts, ConnectTimeout, ServerAliveInterval and ServerAliveCountMax (whose product is IdleTimeout) have
	// the meaning of ssh_config(5), with the tokens %%, %d, %h, %n, %p, %r, %u, ~ and ${VARIABLE}. So have Ciphers, MACs,
	// KexAlgorithms, HostKeyAlgorithms and PubkeyAcceptedAlgorithms (or PubkeyAcceptedKeyTypes), with the defaults of
	// Algorithms. All others are ignored, and Logger is told which. Of Match there is "Match all" and "Match host
	// PATTERN", which looks at the name in Addr; any other makes the file unusable. Include is followed, below ~/.ssh if
	// its path is relative. Quotes are understood around a value as a whole.
	SSHConfig []string

	// Logger is told of connections that are made and lost, new hosts that are accepted, and what is ignored. It is
	// told no secret. Nil: nobody is told.
	Logger *slog.Logger

	// Dial replaces the TCP dial, for a proxy or a test. The host key is still checked for Addr. With ProxyJump it dials
	// the first host of that, unless that one has a Dial of its own.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// checked returns cfg with its defaults filled in, or what is wrong with it.
func (cfg Config) checked() (Config, error) {
	addr, err := hostPort(cfg.Addr)
	if err != nil {
		return Config{}, err
	}
	cfg.Addr = addr
	if cfg.User, err = userName(cfg.User); err != nil {
		return Config{}, err
	}
	if strings.ContainsRune(cfg.Root, 0) {
		return Config{}, fmt.Errorf("root %q: %w", cfg.Root, invalid.Argument)
	}
	if cfg.DialTimeout < 0 || cfg.IdleTimeout < 0 {
		return Config{}, errors.New("a negative timeout")
	}
	if cfg.MaxConnections < 0 || cfg.MaxChannels < 0 {
		return Config{}, errors.New("a negative limit")
	}
	cfg.MaxConnections = cmp.Or(cfg.MaxConnections, DefaultMaxConnections)
	cfg.MaxChannels = cmp.Or(cfg.MaxChannels, DefaultMaxChannels)
	if cfg.DialTimeout == 0 {
		cfg.DialTimeout = DefaultDialTimeout
	}
	if cfg.IdleTimeout == 0 {
		cfg.IdleTimeout = DefaultIdleTimeout
	}
	algorithms, err := sshauth.Algorithms(cfg.Algorithms).Resolved()
	if err != nil {
		return Config{}, err
	}
	cfg.Algorithms = Algorithms(algorithms)
	cfg.RequestTimeout = cmp.Or(cfg.RequestTimeout, DefaultRequestTimeout)
	if cfg.Dial == nil {
		cfg.Dial = new(net.Dialer).DialContext
	}
	return cfg, nil
}

// userName returns name, or that of the current user if it is empty.
func userName(name string) (string, error) {
	if name != "" {
		return name, nil
	}
	u, err := user.Current()
	if err != nil {
		return "", fmt.Errorf("no User given, and the current one is not known: %w", err)
	}
	// Windows says DOMAIN\user.
	return u.Username[strings.LastIndexByte(u.Username, '\\')+1:], nil
}

// identity is that of an Fs; cfg has been checked.
func (cfg Config) identity() string {
	root := path.Clean(cfg.Root)
	if !path.IsAbs(root) {
		root = path.Join("/~", root)
	}
	u := url.URL{Scheme: "sftp", User: url.User(cfg.User), Host: strings.ToLower(cfg.Addr), Path: root}
	return u.String()
}

// hostPort returns addr as host:port.
func hostPort(addr string) (string, error) {
	host, port, err := splitAddr(addr)
	if err != nil {
		return "", err
	}
	if i := strings.IndexFunc(host, notInHost); i >= 0 {
		r, _ := utf8.DecodeRuneInString(host[i:])
		return "", fmt.Errorf("address %q: %w: %q is not part of a host's name", addr, invalid.Argument, r)
	}
	if port == "" {
		port = sshconfig.DefaultPort
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf("address %q: the port is not a number from 1 to 65535", addr)
	}
	return net.JoinHostPort(host, port), nil
}

// notInHost tells what host names and IP addresses do not have. In a known_hosts file it could stand for other hosts: "*", "?"
// and "!" are patterns, a comma is between two names, "|" begins a hash, and "#" and "@" a line of another kind.
func notInHost(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune(".-_:%", r))
}

// splitAddr returns no port if there is none in addr.
func splitAddr(addr string) (host, port string, err error) {
	host = addr
	switch {
	case net.ParseIP(addr) != nil: // "::1" has colons and no port
	case strings.HasPrefix(addr, "[") && strings.HasSuffix(addr, "]"):
		host = addr[1 : len(addr)-1]
	case strings.Contains(addr, ":"):
		if host, port, err = net.SplitHostPort(addr); err != nil {
			return "", "", fmt.Errorf("address %q is not host or host:port", addr)
		}
		if port == "" {
			return "", "", fmt.Errorf("address %q: no port after the colon", addr)
		}
	}
	if host == "" || strings.ContainsAny(host, " \t\r\n/@\x00") {
		return "", "", fmt.Errorf("address %q has no usable host", addr)
	}
	return host, port, nil
}
