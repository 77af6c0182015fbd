package sftpfs

import (
	"cmp"
	"net"
	"os"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/sshconfig"
)

// withSSHConfig fills in what cfg leaves open from cfg.SSHConfig. It also returns all that the files say about the
// host.
func (cfg Config) withSSHConfig() (Config, sshconfig.Host, error) {
	if len(cfg.SSHConfig) == 0 {
		return cfg, sshconfig.Host{}, nil
	}
	host, err := cfg.readSSHConfig()
	if err != nil {
		return Config{}, sshconfig.Host{}, err
	}
	cfg.Addr = net.JoinHostPort(host.HostName, host.Port)
	cfg.User = host.User
	cfg.AcceptNewHost = cfg.AcceptNewHost || host.AcceptNewHost
	cfg.DialTimeout = cmp.Or(cfg.DialTimeout, host.ConnectTimeout)
	cfg.IdleTimeout = cmp.Or(cfg.IdleTimeout, host.AliveTimeout)
	if host.KnownHosts != nil {
		cfg.KnownHosts = existing(host.KnownHosts, cfg.AcceptNewHost)
	}
	for list, said := range map[*[]string][]string{
		&cfg.Algorithms.Ciphers:      host.Ciphers,
		&cfg.Algorithms.MACs:         host.MACs,
		&cfg.Algorithms.KeyExchanges: host.KexAlgorithms,
		&cfg.Algorithms.HostKeys:     host.HostKeyAlgorithms,
		&cfg.Algorithms.PublicKeys:   host.PubkeyAcceptedAlgorithms,
	} {
		if *list == nil {
			*list = said
		}
	}
	for _, jump := range host.ProxyJump { // looked up in the same files
		cfg.ProxyJump = append(cfg.ProxyJump, Config{
			Addr: jump.Addr, User: jump.User, SSHConfig: cfg.SSHConfig, Passphrase: cfg.Passphrase, Logger: cfg.Logger,
		})
	}
	return cfg, host, nil
}

// readSSHConfig returns what cfg.SSHConfig says about the host.
func (cfg Config) readSSHConfig() (sshconfig.Host, error) {
	q := sshconfig.Query{User: cfg.User}
	var err error
	if q.Alias, q.Port, err = splitAddr(cfg.Addr); err != nil {
		return sshconfig.Host{}, err
	}
	if q.LocalUser, err = userName(""); err != nil {
		return sshconfig.Host{}, err
	}
	if cfg.KnownHosts != nil {
		q.Without = append(q.Without, "UserKnownHostsFile")
	}
	if cfg.ProxyJump != nil {
		q.Without = append(q.Without, "ProxyJump")
	}
	host, err := sshconfig.Read(cfg.SSHConfig, q)
	if err != nil {
		return sshconfig.Host{}, err
	}
	for _, s := range host.Ignored {
		cfg.Logger.Info("sftpfs: ssh_config keyword ignored", "host", q.Alias, "keyword", s.Keyword, "value", s.Value)
	}
	return host, nil
}

// existing returns the known hosts files that exist. If new hosts are added to the first file, it returns that file in
// any case.
func existing(files []string, adds bool) []string {
	there := []string{}
	for i, file := range files {
		if _, err := os.Stat(file); err == nil || i == 0 && adds {
			there = append(there, file)
		}
	}
	return there
}
