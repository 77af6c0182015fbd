package sshauth

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/invalid"
)

// Algorithms are lists of SSH algorithms, in order of preference. nil selects the default: what golang.org/x/crypto/ssh
// supports, except the algorithms that it calls insecure and hmac-sha1. Elements are names and patterns, as in
// ssh_config(5).
type Algorithms struct{ Ciphers, MACs, KeyExchanges, HostKeys, PublicKeys []string }

// certificateOf returns the algorithm of certificates for keys of the given algorithm.
func certificateOf(algorithm string) string {
	return strings.TrimSuffix(algorithm, "@openssh.com") + "-cert-v01@openssh.com"
}

// foreign lists algorithms of OpenSSH that x/crypto does not have.
var foreign = strings.Fields(`
	sntrup761x25519-sha512 sntrup761x25519-sha512@openssh.com diffie-hellman-group18-sha512
	aes192-cbc aes256-cbc rijndael-cbc@lysator.liu.se
	hmac-md5 hmac-md5-96 hmac-md5-etm@openssh.com hmac-md5-96-etm@openssh.com hmac-sha1-etm@openssh.com
	hmac-sha1-96-etm@openssh.com umac-64@openssh.com umac-128@openssh.com umac-64-etm@openssh.com umac-128-etm@openssh.com
	ssh-dss ssh-dss-cert-v01@openssh.com
	sk-ssh-ed25519@openssh.com sk-ssh-ed25519-cert-v01@openssh.com
	sk-ecdsa-sha2-nistp256@openssh.com sk-ecdsa-sha2-nistp256-cert-v01@openssh.com
	webauthn-sk-ecdsa-sha2-nistp256@openssh.com webauthn-sk-ecdsa-sha2-nistp256-cert-v01@openssh.com`)

// hostKeyOrder lists the host key algorithms in x/crypto's order of preference. That order decides which of its keys a
// server shows to a callback.
var hostKeyOrder = []string{
	ssh.CertAlgoRSASHA256v01, ssh.CertAlgoRSASHA512v01, ssh.CertAlgoECDSA256v01, ssh.CertAlgoECDSA384v01,
	ssh.CertAlgoECDSA521v01, ssh.CertAlgoED25519v01, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
	ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoED25519,
}

// Resolved returns a with every list expanded to names. It fails with fs.ErrInvalid if a list has an unknown name, or
// leaves no algorithm.
func (a Algorithms) Resolved() (Algorithms, error) {
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

// resolve expands a list of Algorithms to names. The known names are those in defaults and others.
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

// union returns the elements of a, and then those of b, each once.
func union(a, b []string) (all []string) {
	for _, name := range slices.Concat(a, b) {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// restrict returns the keys that can log in with one of the algorithms. They log in with no other.
func restrict(keys []ssh.Signer, algorithms []string) (allowed []ssh.Signer) {
	for _, key := range keys {
		if key = restrictKey(key, algorithms); key != nil {
			allowed = append(allowed, key)
		}
	}
	return allowed
}

// restrictKey is restrict for one key. It returns nil if the key has none of the algorithms.
func restrictKey(key ssh.Signer, algorithms []string) ssh.Signer {
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
	for _, name := range algorithms {
		if i := slices.IndexFunc(own, func(algorithm string) bool { return named(algorithm) == name }); i >= 0 {
			usable = append(usable, own[i])
		}
	}
	switch {
	case len(usable) == 0:
		return nil
	case !ok:
		return key // it has only one algorithm
	}
	restricted, err := ssh.NewSignerWithAlgorithms(signer, usable)
	if err != nil {
		return nil
	}
	return restricted
}
