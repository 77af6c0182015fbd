package sftpfs

import (
	"cmp"
	"context"
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

// Defaults for the zero fields of Config.
const (
	DefaultDialTimeout    = 30 * time.Second
	DefaultIdleTimeout    = 30 * time.Second
	DefaultRequestTimeout = 15 * time.Minute // a rename in an object store copies the object

	DefaultMaxConnections = 2
	DefaultMaxChannels    = 10 // MaxSessions of sshd_config(5): sshd's default limit for one connection
)

// Config says which server to use and how to log in. Only Addr is required; a zero value in any other field selects its
// default.
type Config struct {
	// Addr is "host" or "host:port". The default port is 22.
	Addr string

	// User is the name to log in with. "": the name of the current user.
	User string

	// Root is the directory on the server that the Fs shows as "/". A relative path starts at the login directory, and
	// "" is the login directory itself. Nothing checks Root before it is used.
	Root string

	// Password also answers the questions of keyboard-interactive authentication that do not echo the answer.
	Password string

	// KeyFiles are private keys in a format that ssh-keygen writes. New reads them. nil selects the keys of the agent
	// at SSH_AUTH_SOCK, and then those of ~/.ssh/id_ed25519, id_ecdsa, id_rsa and so on that exist when a connection is
	// made. A certificate in FILE-cert.pub is offered before the key in FILE. Each connection reads it again.
	KeyFiles []string

	// Passphrase returns the passphrase of an encrypted key file. New calls it for KeyFiles, and each new connection
	// for default keys. If Passphrase is nil, an encrypted file in KeyFiles is an error, and an encrypted default key
	// is skipped.
	Passphrase func(keyFile string) ([]byte, error)

	// KnownHosts are files in the format of ~/.ssh/known_hosts, which nil selects. Each connection reads them again. It
	// fails with ErrHostKey if no file lists the host, or if the host's key is not a listed one. Certificates of
	// authorities that the files list for the host (@cert-authority) are accepted.
	KnownHosts []string

	// AcceptNewHost accepts a host for which KnownHosts list no key. It adds the host's key to the first file, which
	// need not exist, before any credentials are sent. A host whose key differs from the listed one is still refused. A
	// man in the middle of the first connection goes unnoticed. A lock file beside the first file, with .lock appended
	// to its name, keeps programs from adding keys at the same time.
	AcceptNewHost bool

	// HostKeyCallback replaces KnownHosts and AcceptNewHost. If it returns an error, connecting fails with ErrHostKey.
	HostKeyCallback ssh.HostKeyCallback

	// Auth replaces Password, KeyFiles and the agent.
	Auth []ssh.AuthMethod

	// Algorithms are the SSH algorithms that are offered to the server. The zero value leaves out weak ones.
	Algorithms Algorithms

	// DialTimeout bounds connecting as a whole: TCP, handshake, authentication and the start of SFTP.
	// 0: DefaultDialTimeout.
	DialTimeout time.Duration

	// IdleTimeout is how long the server may be silent while an answer is due. Then the connection is given up, and
	// every call that waits on it fails with ErrUnavailable. Idle connections are probed, so this also bounds how long
	// a dead connection goes unnoticed. If only one SFTP channel is silent, only that channel is given up; new calls
	// stop using it after three quarters of the time at most. 0: DefaultIdleTimeout.
	IdleTimeout time.Duration

	// RequestTimeout is how long one SFTP request may stay unanswered while the server answers others. Then its channel
	// is given up, within another quarter of the time, and the calls on it fail with ErrUnavailable. A call that is
	// sent again waits once more. The time of a request starts when the earlier requests on its channel are answered,
	// so a transfer may take as long as it likes while its parts are answered. On a channel that is otherwise silent,
	// as with a server that works on one request at a time, IdleTimeout comes first. 0: DefaultRequestTimeout;
	// negative: no limit.
	RequestTimeout time.Duration

	// MaxConnections bounds the number of SSH connections, and MaxChannels the number of SFTP channels on all of them.
	// The Fs begins with one of each, and opens more when one cannot carry the load, as far as the server allows.
	// 0: DefaultMaxConnections and DefaultMaxChannels.
	MaxConnections, MaxChannels int

	// Quirks state what would otherwise be found out about the server. Rarely needed.
	Quirks Quirks

	// AllowNonAtomicReplace lets Rename replace an existing file on a server that cannot do so in one step. Rename
	// moves the old file aside, and back if the new file cannot take its place. In between, there is no file of that
	// name. If the connection is lost, the old file may stay under a name that is in the error.
	AllowNonAtomicReplace bool

	// ProxyJump lists the hosts to connect through, in order. The first one is reached from here, every other one, and
	// then Addr, through the one before. The Config of each host says how to log in to it and how to check its host
	// key; the other fields have no effect. DialTimeout of this Config covers all of them together.
	ProxyJump []Config

	// SSHConfig lists files in the format of ~/.ssh/config, which is only read if it is listed here. New reads them,
	// and looks up the host part of Addr, as ssh does; the files supply what this Config leaves open. New fails if they
	// contain what would make the connection less safe: StrictHostKeyChecking no, or one of
	// NoHostAuthenticationForLocalhost, ProxyCommand and RevokedHostKeys, which are not supported. ProxyCommand is
	// refused even after a ProxyJump, where ssh ignores it.
	//
	// HostName, Port, User, IdentityFile, IdentitiesOnly, ProxyJump, UserKnownHostsFile, StrictHostKeyChecking,
	// HashKnownHosts, ConnectTimeout, ServerAliveInterval and ServerAliveCountMax (whose product is IdleTimeout) have
	// the meaning of ssh_config(5), with the tokens %%, %d, %h, %n, %p, %r, %u, ~ and ${VARIABLE}. So have Ciphers,
	// MACs, KexAlgorithms, HostKeyAlgorithms and PubkeyAcceptedAlgorithms (or PubkeyAcceptedKeyTypes), with the
	// defaults of Algorithms. All other keywords are ignored, and logged to Logger. Of Match, only "Match all" and
	// "Match host PATTERN" are supported, and PATTERN is compared with the name in Addr; any other Match makes the file
	// unusable. Include is followed, and its relative paths are below ~/.ssh. Quotes may enclose a value as a whole.
	SSHConfig []string

	// Logger logs connections that are made and lost, new hosts that are accepted, and settings that are ignored. No
	// secret is logged. nil: no logging.
	Logger *slog.Logger

	// Dial replaces the TCP dial, for a proxy or a test. The host key is still checked for Addr. With ProxyJump, Dial
	// dials the first of those hosts, unless that host has a Dial of its own.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// checked returns cfg with its defaults filled in, or an error if a field is invalid.
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
	for field, v := range map[string]int64{
		"DialTimeout": int64(cfg.DialTimeout), "IdleTimeout": int64(cfg.IdleTimeout),
		"MaxConnections": int64(cfg.MaxConnections), "MaxChannels": int64(cfg.MaxChannels),
	} {
		if v < 0 {
			return Config{}, fmt.Errorf("%s is negative: %w", field, invalid.Argument)
		}
	}
	if err := cfg.Quirks.checked(); err != nil {
		return Config{}, err
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

// userName returns name or, if it is empty, the name of the current user.
func userName(name string) (string, error) {
	if name != "" {
		return name, nil
	}
	u, err := user.Current()
	if err != nil {
		return "", fmt.Errorf("no User given, and the current one is not known: %w", err)
	}
	// On Windows, Username is DOMAIN\user.
	return u.Username[strings.LastIndexByte(u.Username, '\\')+1:], nil
}

// identity returns the identity of an Fs; see Fs.Identity. cfg has been checked.
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

// notInHost reports whether r cannot be part of a host name or an IP address. Such a character could make a line of a
// known_hosts file apply to other hosts: "*", "?" and "!" form patterns, a comma separates names, "|" begins a hash,
// and "#" and "@" begin lines of another kind.
func notInHost(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune(".-_:%", r))
}

// splitAddr returns no port if addr has none.
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
