package sftptest

import (
	"strings"

	"golang.org/x/crypto/ssh/knownhosts"
)

// KnownHosts returns the content of a known_hosts file that has the server's host keys, for programs that want one.
func (s *Server) KnownHosts() string {
	var lines strings.Builder
	for _, key := range s.opts.HostKeys {
		lines.WriteString(knownhosts.Line([]string{s.Addr()}, key.PublicKey()) + "\n")
	}
	return lines.String()
}
