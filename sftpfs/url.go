package sftpfs

import (
	"errors"
	"net/url"
)

// ParseURL returns the Config for a URL of the form sftp://[user[:password]@]host[:port][/root]. Without a path, Root
// is the login directory; with one, Root is absolute. Anything else in a URL is an error. No error repeats the URL,
// because it may hold a password.
func ParseURL(rawURL string) (Config, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		// The error of package url quotes the URL.
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
		// The error quotes the address. If the password has a slash that was not written as %2F, the address contains
		// the password up to that slash.
		return Config{}, errors.New("sftpfs: the URL's host, or its port, cannot be one")
	}
	password, _ := u.User.Password()
	return Config{Addr: addr, User: u.User.Username(), Password: password, Root: u.Path}, nil
}
