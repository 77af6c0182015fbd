package sftpfs

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/invalid"
)

// Algorithms lists the algorithms of SSH that may be used, the preferred one first. A nil list is the default: what
// golang.org/x/crypto/ssh supports, less what it calls insecure, and less hmac-sha1. ssh-dss is not supported at all.
//
// An element is a name, or a pattern with "*" and "?" that stands for all supported names it matches. As in ssh_config(5),
// a list whose first element begins with "+" is appended to the default, one with "^" is put before it, and one with "-"
// is removed from it: []string{"+hmac-sha1", "hmac-sha1-96"}. Names that OpenSSH has and x/crypto lacks are passed over.
// New fails with fs.ErrInvalid if a list has another unknown name, or leaves no algorithm.
type Algorithms struct {
	// Ciphers, MACs and KeyExchanges protect the connection.
	Ciphers, MACs, KeyExchanges []string

	// HostKeys are those by which a server proves who it is. Of a host in Config.KnownHosts only those are used whose keys
	// are known; if there are none, connecting fails with ErrHostKey.
	HostKeys []string

	// PublicKeys are those by which keys log in, but for those of Config.Auth. A key that has none of them is not offered.
	// A server that does not say which it takes (server-sig-algs), as old ones don't, is offered an RSA key only if ssh-rsa is
	// in the list.
	PublicKeys []string
}

// certificateOf returns the algorithm of certificates for keys of this one.
func certificateOf(algorithm string) string {
	return strings.TrimSuffix(algorithm, "@openssh.com") + "-cert-v01@openssh.com"
}

// foreign are algorithms of OpenSSH that x/crypto does not have.
var foreign = strings.Fields(`
	sntrup761x25519-sha512 sntrup761x25519-sha512@openssh.com diffie-hellman-group18-sha512
	aes192-cbc aes256-cbc rijndael-cbc@lysator.liu.se
	hmac-md5 hmac-md5-96 hmac-md5-etm@openssh.com hmac-md5-96-etm@openssh.com hmac-sha1-etm@openssh.com
	hmac-sha1-96-etm@openssh.com umac-64@openssh.com umac-128@openssh.com umac-64-etm@openssh.com umac-128-etm@openssh.com
	ssh-dss ssh-dss-cert-v01@openssh.com
	sk-ssh-ed25519@openssh.com sk-ssh-ed25519-cert-v01@openssh.com
	sk-ecdsa-sha2-nistp256@openssh.com sk-ecdsa-sha2-nistp256-cert-v01@openssh.com
	webauthn-sk-ecdsa-sha2-nistp256@openssh.com webauthn-sk-ecdsa-sha2-nistp256-cert-v01@openssh.com`)

// hostKeyOrder is that in which x/crypto prefers them, which says by which of its keys a server is known to a callback.
var hostKeyOrder = []string{
	ssh.CertAlgoRSASHA256v01, ssh.CertAlgoRSASHA512v01, ssh.CertAlgoECDSA256v01, ssh.CertAlgoECDSA384v01,
	ssh.CertAlgoECDSA521v01, ssh.CertAlgoED25519v01, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
	ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoED25519,
}

// resolved returns a with every list as the names that it stands for.
func (a Algorithms) resolved() (Algorithms, error) {
	safe, other := ssh.SupportedAlgorithms(), ssh.InsecureAlgorithms()
	isSHA1 := func(name string) bool { return name == ssh.HMACSHA1 }
	var errs []error
	resolve := func(list *[]string, what string, defaults, others []string) {
		var err error
		if *list, err = resolve(*list, defaults, others); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", what, err))
		}
	}
	resolve(&a.Ciphers, "Ciphers", safe.Ciphers, other.Ciphers)
	resolve(&a.MACs, "MACs", slices.DeleteFunc(safe.MACs, isSHA1), append(other.MACs, ssh.HMACSHA1))
	resolve(&a.KeyExchanges, "KeyExchanges", safe.KeyExchanges, append(other.KeyExchanges, "curve25519-sha256@libssh.org"))
	resolve(&a.HostKeys, "HostKeys", union(hostKeyOrder, safe.HostKeys), other.HostKeys)
	resolve(&a.PublicKeys, "PublicKeys", withCertificates(safe.PublicKeyAuths), withCertificates(other.PublicKeyAuths))
	return a, errors.Join(errs...)
}

func withCertificates(algorithms []string) (all []string) {
	for _, a := range algorithms {
		all = append(all, a, certificateOf(a))
	}
	return all
}

// resolve returns the names that a list of Algorithms stands for, where there are those of defaults and others.
func resolve(list, defaults, others []string) ([]string, error) {
	if list == nil {
		return defaults, nil
	}
	how := byte(0)
	var named []string
	for i, pattern := range list {
		if i == 0 && pattern != "" && strings.Contains("+-^", pattern[:1]) {
			how, pattern = pattern[0], pattern[1:]
		}
		matched := false
		for _, name := range union(defaults, others) {
			if ok, _ := path.Match(literal.Replace(pattern), name); ok {
				named, matched = append(named, name), true
			}
		}
		if !matched && !strings.ContainsAny(pattern, "*?") && !slices.Contains(foreign, pattern) {
			return nil, fmt.Errorf("%w: unknown algorithm %q", invalid.Argument, pattern)
		}
	}
	switch how {
	case '+':
		named = union(defaults, named)
	case '^':
		named = union(named, defaults)
	case '-':
		named = slices.DeleteFunc(slices.Clone(defaults), func(name string) bool { return slices.Contains(named, name) })
	default:
		named = union(named, nil)
	}
	if len(named) == 0 {
		return nil, fmt.Errorf("%w: no algorithm is left of %q", invalid.Argument, strings.Join(list, ","))
	}
	return named, nil
}

// union returns what is in a, and then what is in b, each once.
func union(a, b []string) (all []string) {
	for _, name := range slices.Concat(a, b) {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// allowed returns the keys that log in by one of the algorithms, as such that do so by no other.
func (a Algorithms) allowed(keys []ssh.Signer) (allowed []ssh.Signer) {
	for _, key := range keys {
		if key = a.restrict(key); key != nil {
			allowed = append(allowed, key)
		}
	}
	return allowed
}

// restrict returns nil if the key has none of the algorithms.
func (a Algorithms) restrict(key ssh.Signer) ssh.Signer {
	kind, named := key.PublicKey().Type(), func(algorithm string) string { return algorithm }
	if certificate, ok := key.PublicKey().(*ssh.Certificate); ok {
		kind, named = certificate.Key.Type(), certificateOf
	}
	own := []string{kind}
	signer, ok := key.(ssh.AlgorithmSigner)
	if ok && kind == ssh.KeyAlgoRSA {
		own = []string{ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSA}
	}
	if multi, ok := key.(ssh.MultiAlgorithmSigner); ok {
		own = multi.Algorithms()
	}
	var usable []string
	for _, name := range a.PublicKeys {
		if i := slices.IndexFunc(own, func(algorithm string) bool { return named(algorithm) == name }); i >= 0 {
			usable = append(usable, own[i])
		}
	}
	switch {
	case len(usable) == 0:
		return nil
	case !ok:
		return key // which has no more than the one
	}
	restricted, err := ssh.NewSignerWithAlgorithms(signer, usable)
	if err != nil {
		return nil
	}
	return restricted
}
