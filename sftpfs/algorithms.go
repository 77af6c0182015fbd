package sftpfs

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
