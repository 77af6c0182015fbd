package sshauth

import (
	"errors"
	"io/fs"

	"golang.org/x/crypto/ssh"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/textfile"
)

// withCertificate returns the signers for the key in file: the certificate beside the file, if there is one, and the
// key itself. Like ssh, it skips a certificate that cannot be used.
func (c *Credentials) withCertificate(file string, key ssh.Signer) []ssh.Signer {
	certificate, err := readCertificate(file+"-cert.pub", key)
	switch {
	case err == nil:
		return []ssh.Signer{certificate, key}
	case !errors.Is(err, fs.ErrNotExist):
		c.Logger.Warn("sftpfs: certificate not used", "file", file+"-cert.pub", "err", err)
	}
	return []ssh.Signer{key}
}

func readCertificate(file string, key ssh.Signer) (ssh.Signer, error) {
	text, err := textfile.Read(file)
	if err != nil {
		return nil, err
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		return nil, err
	}
	certificate, ok := public.(*ssh.Certificate)
	if !ok {
		return nil, errors.New("not a certificate")
	}
	return ssh.NewCertSigner(certificate, key)
}
