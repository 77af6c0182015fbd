package sftpfs

// Algorithms lists the SSH algorithms that may be used, in order of preference. A nil list selects the default: what
// golang.org/x/crypto/ssh supports, except the algorithms that it calls insecure and hmac-sha1. ssh-dss is not
// supported at all.
//
// An element is a name, or a pattern with "*" and "?" that stands for all supported names that it matches. As in
// ssh_config(5), the first element may begin with "+", "^" or "-": then the list is appended to the default, put in
// front of it, or removed from it. An example is []string{"+hmac-sha1", "hmac-sha1-96"}. Names that OpenSSH knows and
// x/crypto does not are ignored. New fails with fs.ErrInvalid if a list has any other unknown name, or leaves no
// algorithm.
type Algorithms struct {
	// Ciphers, MACs and KeyExchanges protect the connection.
	Ciphers, MACs, KeyExchanges []string

	// HostKeys are the algorithms by which a server proves its identity. For a host in Config.KnownHosts, only those
	// with a known key are used. If there are none, connecting fails with ErrHostKey.
	HostKeys []string

	// PublicKeys are the algorithms with which keys log in, except the keys in Config.Auth. A key that has none of them
	// is not offered. If the server does not say which algorithms it accepts (server-sig-algs), as old servers do not,
	// an RSA key is only offered if ssh-rsa is in the list.
	PublicKeys []string
}
