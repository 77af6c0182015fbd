package sftpfs

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

// knownHosts is the content of known_hosts files.
type knownHosts struct {
	files []string
	db    *knownhosts.HostKeyDB
}

// readKnownHosts reads files. Nil stands for ~/.ssh/known_hosts. That one may be missing, and so may the first one if new
// hosts are to be added to it.
func readKnownHosts(files []string, adds bool) (*knownHosts, error) {
	if files == nil {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, fmt.Errorf("no KnownHosts given, and no home directory: %w", err)
		}
		files, adds = []string{filepath.Join(home, ".ssh", "known_hosts")}, true
	}
	read := files
	if adds && len(files) > 0 {
		if _, err := os.Stat(files[0]); errors.Is(err, fs.ErrNotExist) {
			read = files[1:]
		}
	}
	db, err := knownhosts.NewDB(read...)
	if err != nil {
		return nil, fmt.Errorf("known hosts: %w", err)
	}
	return &knownHosts{files, db}, nil
}

// knows tells whether there is a key of the host itself, not only of an authority.
func (k *knownHosts) knows(addr string) bool {
	return slices.ContainsFunc(k.db.HostKeys(addr), func(key knownhosts.PublicKey) bool { return !key.Cert })
}

// algorithms returns those of the keys known for addr, so that a server which has other keys too shows one of
// these. Nil, for an unknown host, is x/crypto's own order.
func (k *knownHosts) algorithms(addr string) []string { return k.db.HostKeyAlgorithms(addr) }

// algorithmsOfAny returns those, and for a host of which no key is known those of all keys that could be added.
func (k *knownHosts) algorithmsOfAny(addr string) []string {
	algorithms := k.algorithms(addr)
	if k.knows(addr) {
		return algorithms
	}
	for _, a := range ssh.SupportedAlgorithms().HostKeys {
		if !strings.Contains(a, "-cert-") {
			algorithms = append(algorithms, a)
		}
	}
	return algorithms
}

// check is an ssh.HostKeyCallback. Its error matches errUnknownHost if that is what the host is.
func (k *knownHosts) check(host string, remote net.Addr, key ssh.PublicKey) error {
	err := k.db.HostKeyCallback()(host, remote, key)
	var keyErr *xknownhosts.KeyError
	var revoked *xknownhosts.RevokedError
	switch {
	case errors.As(err, &revoked):
		return fmt.Errorf("the key is revoked in %s:%d: %w", revoked.Revoked.Filename, revoked.Revoked.Line, err)
	case errors.As(err, &keyErr) && !k.knows(host):
		return fmt.Errorf("%w, no entry for it in %s: %w", errUnknownHost, strings.Join(k.files, ", "), err)
	case errors.As(err, &keyErr):
		return fmt.Errorf("the host key has changed, or someone else answers; expected %s: %w", wanted(keyErr), err)
	}
	return err
}

var errUnknownHost = errors.New("the host is unknown")

// noCommonType is the error for a known host that has none of the key types known for it.
func (k *knownHosts) noCommonType(addr string, offered []string) error {
	return fmt.Errorf("%w: %s: the host key has changed: the server has %s, known are %s in %s", ErrHostKey, addr,
		strings.Join(offered, ", "), strings.Join(k.algorithms(addr), ", "), strings.Join(k.files, ", "))
}

func wanted(err *xknownhosts.KeyError) string {
	var b strings.Builder
	for i, w := range err.Want {
		if i > 0 {
			b.WriteString(" or ")
		}
		fmt.Fprintf(&b, "%s %s in %s:%d", w.Key.Type(), ssh.FingerprintSHA256(w.Key), w.Filename, w.Line)
	}
	return b.String()
}

func hostKeyRefused(addr string, key ssh.PublicKey, why error) error {
	return fmt.Errorf("%w: %s: offered %s %s: %w", ErrHostKey, addr, key.Type(), ssh.FingerprintSHA256(key), why)
}
