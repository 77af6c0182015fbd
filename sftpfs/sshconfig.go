package sftpfs

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/kevinburke/ssh_config"
)

// fromSSH is what ssh_config files say that has no field in Config.
type fromSSH struct {
	identities     []string // key files to look for in place of the default ones; nil: nothing said
	identitiesOnly bool     // and nothing else of what the agent holds
	hashHosts      bool     // names in known hosts are to be unreadable
}

// withSSHConfig fills in what cfg.SSHConfig says about the host where cfg says nothing.
func (cfg Config) withSSHConfig() (Config, fromSSH, error) {
	if len(cfg.SSHConfig) == 0 {
		return cfg, fromSSH{}, nil
	}
	alias, port, err := splitAddr(cfg.Addr)
	if err != nil {
		return Config{}, fromSSH{}, err
	}
	said, err := readSSHConfig(cfg.SSHConfig, alias)
	if err != nil {
		return Config{}, fromSSH{}, fmt.Errorf("ssh_config: %w", err)
	}
	cfg, from, err := said.apply(cfg, alias, port)
	if err != nil {
		return Config{}, fromSSH{}, fmt.Errorf("ssh_config: host %s: %w", alias, err)
	}
	for keyword, value := range said.ignored() {
		cfg.Logger.Info("sftpfs: ssh_config keyword ignored", "host", alias, "keyword", keyword, "value", value)
	}
	return cfg, from, nil
}

// A section is what ssh_config files say about one host: by keyword, in lower case, all values, the one that counts
// first.
type section map[string][]string

// readSSHConfig asks for each keyword that there is, for what stands in an included file can't be listed.
func readSSHConfig(files []string, alias string) (section, error) {
	said := make(section)
	for _, name := range files {
		text, err := readText(name)
		if err != nil {
			return nil, err
		}
		file, err := ssh_config.DecodeBytes(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, keyword := range sshKeywords {
			values, err := file.GetAll(alias, keyword)
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

func (s section) apply(cfg Config, alias, port string) (Config, fromSSH, error) {
	var from fromSSH
	if err := s.unsafe(); err != nil {
		return Config{}, from, err
	}
	host, err := tokens{'n': alias, 'h': alias}.expand(cmp.Or(s.first("HostName"), alias))
	if err != nil {
		return Config{}, from, fmt.Errorf("HostName: %w", err)
	}
	port = cmp.Or(port, s.first("Port"), defaultPort)
	cfg.Addr = net.JoinHostPort(host, port)
	if cfg.User, err = userName(cmp.Or(cfg.User, s.first("User"))); err != nil {
		return Config{}, from, err
	}
	t, err := newTokens(alias, host, port, cfg.User)
	if err != nil {
		return Config{}, from, err
	}
	if from.identities, err = t.paths(s["identityfile"]); err != nil {
		return Config{}, from, fmt.Errorf("IdentityFile: %w", err)
	}
	from.identitiesOnly = s.is("IdentitiesOnly", "yes")
	from.hashHosts = s.is("HashKnownHosts", "yes")
	s.applyAlgorithms(&cfg.Algorithms)
	return cfg, from, errors.Join(s.applyKnownHosts(&cfg, t), s.applyTimes(&cfg), s.applyJumps(&cfg, t))
}

func (s section) applyAlgorithms(a *Algorithms) {
	for list, value := range map[*[]string]string{
		&a.Ciphers:      s.first("Ciphers"),
		&a.MACs:         s.first("MACs"),
		&a.KeyExchanges: s.first("KexAlgorithms"),
		&a.HostKeys:     s.first("HostKeyAlgorithms"),
		&a.PublicKeys:   cmp.Or(s.first("PubkeyAcceptedAlgorithms"), s.first("PubkeyAcceptedKeyTypes")),
	} {
		if *list == nil && value != "" {
			*list = strings.Split(value, ",")
		}
	}
}

func (s section) applyKnownHosts(cfg *Config, t tokens) error {
	if s.is("StrictHostKeyChecking", "accept-new") {
		cfg.AcceptNewHost = true
	}
	value := s.first("UserKnownHostsFile")
	if cfg.KnownHosts != nil || value == "" {
		return nil
	}
	files, err := t.paths(strings.Fields(value))
	if err != nil {
		return fmt.Errorf("UserKnownHostsFile: %w", err)
	}
	cfg.KnownHosts = []string{}
	for i, file := range files {
		// Those that are not there are passed over, but for the one that new hosts are added to.
		if _, err := os.Stat(file); err == nil || i == 0 && cfg.AcceptNewHost {
			cfg.KnownHosts = append(cfg.KnownHosts, file)
		}
	}
	return nil
}

func (s section) applyTimes(cfg *Config) error {
	connect, err1 := s.seconds("ConnectTimeout")
	alive, err2 := s.seconds("ServerAliveInterval")
	count, err3 := strconv.ParseUint(cmp.Or(s.first("ServerAliveCountMax"), "3"), 10, 16)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	cfg.DialTimeout = cmp.Or(cfg.DialTimeout, connect)
	cfg.IdleTimeout = cmp.Or(cfg.IdleTimeout, alive*time.Duration(max(count, 1)))
	return nil
}

// seconds understands "90" and "1m30s".
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

// applyJumps has the hosts of ProxyJump, which are separated by commas, described by the same files.
func (s section) applyJumps(cfg *Config, t tokens) error {
	value := s.first("ProxyJump")
	if cfg.ProxyJump != nil || value == "" || s.is("ProxyJump", "none") {
		return nil
	}
	value, err := t.expand(value)
	if err != nil {
		return fmt.Errorf("ProxyJump: %w", err)
	}
	for spec := range strings.SplitSeq(value, ",") {
		spec = strings.TrimPrefix(strings.TrimSpace(spec), "ssh://")
		jump := Config{Addr: spec, SSHConfig: cfg.SSHConfig, Passphrase: cfg.Passphrase, Logger: cfg.Logger}
		if at := strings.LastIndexByte(spec, '@'); at >= 0 {
			jump.User, jump.Addr = spec[:at], spec[at+1:]
		}
		cfg.ProxyJump = append(cfg.ProxyJump, jump)
	}
	return nil
}
