package sshauth

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/textfile"
)

// KnownHosts is the content of known_hosts files.
type KnownHosts struct {
	files   []string
	db      *knownhosts.HostKeyDB
	anyPort []anyPortLine
}

// anyPortLine is a line for a host whose port is a pattern, such as "[host]:*". It matches as in OpenSSH. For x/crypto,
// the port is literal text.
type anyPortLine struct {
	patterns []string
	key      ssh.PublicKey
}

// anyPortLines returns the lines of this kind in a file. Like x/crypto, it skips invalid lines.
func anyPortLines(file string) (lines []anyPortLine, err error) {
	text, err := textfile.Read(file)
	if err != nil {
		return nil, err
	}
	for text := range bytes.Lines(text) {
		marker, patterns, key, _, _, err := ssh.ParseKnownHosts(text)
		if err == nil && marker == "" && slices.ContainsFunc(patterns, isAnyPort) {
			lines = append(lines, anyPortLine{patterns, key})
		}
	}
	return lines, nil
}

// isAnyPort reports whether the port in a host pattern is itself a pattern.
func isAnyPort(pattern string) bool {
	_, port, _ := strings.Cut(pattern, "]:")
	return strings.ContainsAny(port, "*?")
}

// forAnyPort returns the keys of a host from the lines for any port.
func (k *KnownHosts) forAnyPort(addr string) (keys []ssh.PublicKey) {
	for _, line := range k.anyPort {
		if matches(line.patterns, knownhosts.Normalize(addr)) {
			keys = append(keys, line.key)
		}
	}
	return keys
}

// ReadKnownHosts reads files. nil selects ~/.ssh/known_hosts, which may be missing. If adds is set, new hosts are added
// to the first file, and that file may be missing.
func ReadKnownHosts(files []string, adds bool) (*KnownHosts, error) {
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
	k := &KnownHosts{files: files}
	for _, file := range read {
		lines, err := anyPortLines(file) // also bounds the size of what NewDB reads
		if err != nil {
			return nil, fmt.Errorf("known hosts: %w", err)
		}
		k.anyPort = append(k.anyPort, lines...)
	}
	var err error
	if k.db, err = knownhosts.NewDB(read...); err != nil {
		return nil, fmt.Errorf("known hosts: %w", err)
	}
	return k, nil
}

// knows reports whether a key of the host itself is known, not only one of an authority.
func (k *KnownHosts) knows(addr string) bool {
	return len(k.forAnyPort(addr)) > 0 ||
		slices.ContainsFunc(k.db.HostKeys(addr), func(key knownhosts.PublicKey) bool { return !key.Cert })
}

// knownAlgorithms returns the algorithms of the keys known for addr, nil for an unknown host.
func (k *KnownHosts) knownAlgorithms(addr string) []string {
	algorithms := k.db.HostKeyAlgorithms(addr)
	for _, key := range k.forAnyPort(addr) {
		if key.Type() == ssh.KeyAlgoRSA {
			algorithms = append(algorithms, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
		}
		algorithms = append(algorithms, key.Type())
	}
	return algorithms
}

// Algorithms returns those of the allowed algorithms for which a key of the host is known, so that a server with
// further keys shows a known one. A host without a known key may show any key; it is refused, or added if addsNew is
// set. Algorithms fails if none is left.
func (k *KnownHosts) Algorithms(addr string, allowed []string, addsNew bool) ([]string, error) {
	known := k.knownAlgorithms(addr)
	if known == nil && !addsNew {
		return allowed, nil
	}
	isNew := addsNew && !k.knows(addr)
	usable := slices.DeleteFunc(slices.Clone(allowed), func(a string) bool {
		return !slices.Contains(known, a) && !(isNew && !strings.Contains(a, "-cert-"))
	})
	if len(usable) == 0 {
		return nil, fmt.Errorf("Algorithms.HostKeys, %s, has none for the known keys, %s in %s",
			strings.Join(allowed, ", "), strings.Join(known, ", "), strings.Join(k.files, ", "))
	}
	return usable, nil
}

// Check is an ssh.HostKeyCallback. Its error matches errUnknownHost if the host is unknown.
func (k *KnownHosts) Check(host string, remote net.Addr, key ssh.PublicKey) error {
	err := k.db.HostKeyCallback()(host, remote, key)
	var keyErr *xknownhosts.KeyError
	var revoked *xknownhosts.RevokedError
	switch {
	case errors.As(err, &revoked):
		return fmt.Errorf("the key is revoked in %s:%d: %w", revoked.Revoked.Filename, revoked.Revoked.Line, err)
	case errors.As(err, &keyErr) && slices.ContainsFunc(k.forAnyPort(host), func(known ssh.PublicKey) bool {
		return bytes.Equal(known.Marshal(), key.Marshal())
	}):
		return nil
	case errors.As(err, &keyErr) && !k.knows(host):
		return fmt.Errorf("%w, no entry for it in %s: %w", errUnknownHost, strings.Join(k.files, ", "), err)
	case errors.As(err, &keyErr):
		return fmt.Errorf("the host key has changed, or someone else answers; expected %s: %w",
			cmp.Or(wanted(keyErr), "that of a line for any port"), err)
	}
	return err
}

// matches reports whether a name matches a list of patterns; see PATTERNS in ssh_config(5). It ignores patterns without
// a port, which x/crypto handles.
func matches(patterns []string, name string) (yes bool) {
	for _, p := range patterns {
		p, not := strings.CutPrefix(p, "!")
		if !strings.HasPrefix(p, "[") {
			continue
		}
		switch ok, _ := path.Match(literal.Replace(strings.ToLower(p)), strings.ToLower(name)); {
		case ok && not:
			return false
		case ok:
			yes = true
		}
	}
	return yes
}

// literal escapes what path.Match treats specially, except "*" and "?", which have OpenSSH's meaning.
var literal = strings.NewReplacer("[", `\[`, `\`, `\\`)

var errUnknownHost = errors.New("the host is unknown")

// NoCommonAlgorithm returns the error for a known host that offers no algorithm that is both known for it and allowed.
func (k *KnownHosts) NoCommonAlgorithm(addr string, offered []string) error {
	known := k.knownAlgorithms(addr)
	if slices.ContainsFunc(offered, func(a string) bool { return slices.Contains(known, a) }) {
		return fmt.Errorf("the server has %s, of which Algorithms.HostKeys has none for a known key",
			strings.Join(offered, ", "))
	}
	return fmt.Errorf("the host key has changed: the server has %s, known are %s in %s",
		strings.Join(offered, ", "), strings.Join(known, ", "), strings.Join(k.files, ", "))
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
