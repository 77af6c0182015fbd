package sftpfs

import (
	"strings"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

// isOpenSSH reports whether the server is OpenSSH's own. The SSH version alone does not prove that: an sshd may run
// another server as its subsystem. isOpenSSH waits for the server's VERSION packet, and returns false if the session is
// lost first.
func (s *session) isOpenSSH() bool {
	if !s.openSSH || s.awaitInit() != nil {
		return false
	}
	is := s.runsOpenSSH()
	s.learnt.openSSH.Store(is)
	return is
}

// runsOpenSSH is isOpenSSH whatever SSH server runs the SFTP server.
func (s *session) runsOpenSSH() bool {
	if s.wire == nil || s.awaitInit() != nil {
		return false
	}
	s.judge.Do(func() { s.proven = openSSHOffers(s.wire.Extensions()) })
	return s.proven
}

// openSSHOffers reports whether these are the extensions that OpenSSH's server offers. Other servers do not offer fsync,
// which OpenSSH's does since 6.5 (mysecureshell, and those written in Go), or also offer extensions that OpenSSH's does
// not have (gesftpserver).
func openSSHOffers(extensions map[string]string) bool {
	for name := range extensions {
		switch {
		case strings.HasSuffix(name, "@openssh.com"):
		case name == "copy-data", name == "home-directory": // of draft-ietf-secsh-filexfer-extensions-00
		default:
			return false
		}
	}
	_, syncs := extensions[wire.ExtensionFsync]
	return syncs
}
