// Package sshconfig reads ssh_config(5) files. It returns what they say about a host, and refuses what would make a
// connection to it less safe.
package sshconfig

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kevinburke/ssh_config"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/textfile"
)

// DefaultPort is the port of a host if no other port is given.
const DefaultPort = "22"

// A Query asks about a host. Its own values override those in the files.
type Query struct {
	Alias     string   // the host as the program names it
	Port      string   // "": from the files, or else DefaultPort
	User      string   // "": from the files, or else LocalUser
	LocalUser string   // the user who runs this process
	Without   []string // keywords to ignore
}

// A Host is what the files say about a host. A field that they do not set is zero, except HostName, Port and User,
// which are always set.
type Host struct {
	HostName, Port, User string

	IdentityFiles  []string // nil: none given
	IdentitiesOnly bool

	KnownHosts     []string // files, which may be missing
	AcceptNewHost  bool     // StrictHostKeyChecking accept-new
	HashKnownHosts bool

	ConnectTimeout time.Duration
	AliveTimeout   time.Duration // ServerAliveInterval times ServerAliveCountMax

	ProxyJump []Jump // in order

	// Lists as they are in the file: names or patterns.
	Ciphers, MACs, KexAlgorithms, HostKeyAlgorithms, PubkeyAcceptedAlgorithms []string

	Ignored []Setting // settings that have no effect here
}

// A Jump is a host of ProxyJump.
type Jump struct{ User, Addr string }

// A Setting is a keyword with one of its values.
type Setting struct{ Keyword, Value string }

// Read returns what the files say about a host; earlier files override later ones. It fails on what is not supported,
// and on what would make the connection less safe.
func Read(files []string, q Query) (Host, error) {
	said, err := read(files, q)
	if err != nil {
		return Host{}, fmt.Errorf("ssh_config: %w", err)
	}
	host, err := said.host(q)
	if err != nil {
		return Host{}, fmt.Errorf("ssh_config: host %s: %w", q.Alias, err)
	}
	return host, nil
}

// A section is what files say about one host: all values by keyword in lower case, the effective one first.
type section map[string][]string

// read looks up every known keyword, because the keywords in an included file cannot be listed.
func read(files []string, q Query) (section, error) {
	said := make(section)
	for _, name := range files {
		text, err := textfile.Read(name)
		if err != nil {
			return nil, err
		}
		file, err := ssh_config.DecodeBytes(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, keyword := range keywords {
			if slices.Contains(q.Without, keyword) {
				continue
			}
			values, err := file.GetAll(q.Alias, keyword)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			key := strings.ToLower(keyword)
			said[key] = append(said[key], values...)
		}
	}
	return said, nil
}

func (s section) first(keyword string) string {
	if values := s[strings.ToLower(keyword)]; len(values) > 0 {
		return values[0]
	}
	return ""
}

func (s section) is(keyword, value string) bool { return strings.EqualFold(s.first(keyword), value) }

// list returns the elements of a value that are separated by commas, nil if there is no value.
func (s section) list(keyword string) []string {
	if value := s.first(keyword); value != "" {
		return strings.Split(value, ",")
	}
	return nil
}

// host returns the Host that the section describes.
func (s section) host(q Query) (Host, error) {
	if err := s.unsafe(); err != nil {
		return Host{}, err
	}
	name, err := tokens{'n': q.Alias, 'h': q.Alias}.expand(cmp.Or(s.first("HostName"), q.Alias))
	if err != nil {
		return Host{}, fmt.Errorf("HostName: %w", err)
	}
	h := Host{
		HostName:          name,
		Port:              cmp.Or(q.Port, s.first("Port"), DefaultPort),
		User:              cmp.Or(q.User, s.first("User"), q.LocalUser),
		IdentitiesOnly:    s.is("IdentitiesOnly", "yes"),
		AcceptNewHost:     s.is("StrictHostKeyChecking", "accept-new"),
		HashKnownHosts:    s.is("HashKnownHosts", "yes"),
		Ciphers:           s.list("Ciphers"),
		MACs:              s.list("MACs"),
		KexAlgorithms:     s.list("KexAlgorithms"),
		HostKeyAlgorithms: s.list("HostKeyAlgorithms"),
		Ignored:           s.ignored(),
	}
	if h.PubkeyAcceptedAlgorithms = s.list("PubkeyAcceptedAlgorithms"); h.PubkeyAcceptedAlgorithms == nil {
		h.PubkeyAcceptedAlgorithms = s.list("PubkeyAcceptedKeyTypes")
	}
	t, err := newTokens(q, h)
	if err != nil {
		return Host{}, err
	}
	if h.IdentityFiles, err = t.paths(s["identityfile"]); err != nil {
		return Host{}, fmt.Errorf("IdentityFile: %w", err)
	}
	return h, errors.Join(s.knownHosts(&h, t), s.timeouts(&h), s.jumps(&h, t))
}

func (s section) knownHosts(h *Host, t tokens) (err error) {
	value := s.first("UserKnownHostsFile")
	if value == "" {
		return nil
	}
	if h.KnownHosts, err = t.paths(strings.Fields(value)); err != nil {
		return fmt.Errorf("UserKnownHostsFile: %w", err)
	}
	return nil
}

func (s section) timeouts(h *Host) error {
	connect, err1 := s.seconds("ConnectTimeout")
	alive, err2 := s.seconds("ServerAliveInterval")
	count, err3 := strconv.ParseUint(cmp.Or(s.first("ServerAliveCountMax"), "3"), 10, 16)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	times := time.Duration(max(count, 1))
	if alive > math.MaxInt64/times {
		return errors.New("ServerAliveInterval times ServerAliveCountMax is too long")
	}
	h.ConnectTimeout, h.AliveTimeout = connect, alive*times
	return nil
}

// seconds parses a time such as "90" or "1m30s".
func (s section) seconds(keyword string) (time.Duration, error) {
	value := s.first(keyword)
	if value == "" || s.is(keyword, "none") {
		return 0, nil
	}
	if strings.Trim(value, "0123456789") == "" {
		value += "s"
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%s: %q is no time", keyword, value)
	}
	return d, nil
}

// jumps reads the hosts of ProxyJump, which are separated by commas.
func (s section) jumps(h *Host, t tokens) error {
	value := s.first("ProxyJump")
	if value == "" || s.is("ProxyJump", "none") {
		return nil
	}
	value, err := t.expand(value)
	if err != nil {
		return fmt.Errorf("ProxyJump: %w", err)
	}
	for spec := range strings.SplitSeq(value, ",") {
		spec = strings.TrimPrefix(strings.TrimSpace(spec), "ssh://")
		jump := Jump{Addr: spec}
		if at := strings.LastIndexByte(spec, '@'); at >= 0 {
			jump = Jump{spec[:at], spec[at+1:]}
		}
		h.ProxyJump = append(h.ProxyJump, jump)
	}
	return nil
}
