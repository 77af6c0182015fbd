package sftpfs

import (
	"errors"
	"net/url"
)

// ParseURL returns the Config that sftp://[user[:password]@]host[:port][/root] stands for. Without a path Root is
// the login directory; with one it is absolute. Whatever is not part of this form is an error, and no error
// repeats the URL, since it may hold a password.
func ParseURL(rawURL string) (Config, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		// The error of package url quotes what it could not parse.
		return Config{}, errors.New("sftpfs: not a URL of the form sftp://user@host:port/root")
	}
	switch {
	case u.Scheme != "sftp":
		return Config{}, errors.New("sftpfs: the URL does not begin with sftp://")
	case u.Opaque != "" || u.Hostname() == "":
		return Config{}, errors.New("sftpfs: the URL names no host")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return Config{}, errors.New("sftpfs: the URL has a query or a fragment; write ? as %3F and # as %23")
	}
	addr, err := hostPort(u.Host)
	if err != nil {
		// Its error quotes the address, which is a password up to its first slash where that was not written as %2F.
		return Config{}, errors.New("sftpfs: the URL's host, or its port, cannot be one")
	}
	password, _ := u.User.Password()
	return Config{Addr: addr, User: u.User.Username(), Password: password, Root: u.Path}, nil
}
