package sftpfs_test

import (
	"os"
	"slices"
	"testing"

	"github.com/spf13/afero"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/internal/sftpservers"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// A tested server is held to the conformance suite, to io/fs, and to random histories.
type tested struct {
	name   string
	title  string // in SERVERS.md
	advice string // for who uses such a server; "": it is not in SERVERS.md
	// start returns what makes a new Fs on the server for each case.
	start  func(t *testing.T) func(testing.TB) afero.Fs
	limits limits
	// histories leave out these, too.
	histories capabilities
	// noHistories says why there are none.
	noHistories string
	// full is for servers that are tested with SYNCFS_FULL=1 alone: they have to be installed, or take long. Of those
	// whose histories are, all else runs always.
	full, fullHistories bool
}

func embedded(opts *sftptest.Options) func(*testing.T) func(testing.TB) afero.Fs {
	return func(t *testing.T) func(testing.TB) afero.Fs { return perCase(t, newServer(t, opts).Config()) }
}

func memMapFs(t *testing.T) func(testing.TB) afero.Fs {
	client := dialServer(t, newServer(t, &sftptest.Options{Fs: afero.NewMemMapFs()}))
	return overClient(client, rootsOf(sftpfs.NewClient(client, "/"), "/"))
}

// openSSH shares a client among the cases, for to connect for each takes long.
func openSSH(o opensshtest.Options) func(*testing.T) func(testing.TB) afero.Fs {
	return func(t *testing.T) func(testing.TB) afero.Fs {
		if o.Subsystem != "" {
			script(t, "") // looks whether it is there
		}
		server := opensshtest.Start(t, o)
		client := dialOpenSSH(t, server)
		return overClient(client, rootsOf(sftpfs.NewClient(client, "/"), server.Root))
	}
}

// openSSHPool has connections of the library's own.
func openSSHPool(o opensshtest.Options) func(*testing.T) func(testing.TB) afero.Fs {
	return func(t *testing.T) func(testing.TB) afero.Fs {
		if o.Subsystem != "" {
			script(t, "")
		}
		o := o
		o.Config = append(slices.Clone(o.Config), "MaxStartups 100")
		return perCase(t, openSSHConfig(opensshtest.Start(t, o)))
	}
}

// inChroot has a root of the server's own, where nobody but root can change anything above what is served.
func inChroot(t *testing.T) func(testing.TB) afero.Fs {
	server := opensshtest.Start(t, opensshtest.Options{
		Setup:  `mount --bind "$ROOT" /mnt`,
		Config: []string{"ChrootDirectory /mnt", "ForceCommand internal-sftp", "MaxStartups 100"},
	})
	client := dialOpenSSH(t, server)
	return overClient(client, rootsOf(sftpfs.NewClient(client, "/"), "/"))
}

func foreign(name string) func(*testing.T) func(testing.TB) afero.Fs {
	return func(t *testing.T) func(testing.TB) afero.Fs {
		return perCase(t, foreignConfig(t, sftpservers.Start(t, name)))
	}
}

// foreignConfig knows the host by its key, so that the server is not asked for one that it does not have. dropbear
// offers those, too.
func foreignConfig(t testing.TB, s sftpservers.Server) sftpfs.Config {
	cfg := sftpfs.Config{
		Addr: s.Addr, User: s.User, Root: s.Root, Password: s.Password, KeyFiles: []string{},
		KnownHosts: []string{knownHostsFile(t, knownhosts.Line([]string{s.Addr}, s.HostKey))},
	}
	if s.Password == "" {
		cfg.Auth = []ssh.AuthMethod{ssh.PublicKeys(s.Key)}
	}
	return cfg
}

func TestServers(t *testing.T) {
	t.Parallel()
	full := os.Getenv("SYNCFS_FULL") == "1"
	for _, s := range servers {
		if s.full && !full {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			newFs := s.start(t)
			conform(t, s.limits, newFs)
			t.Run("as fs.FS", func(t *testing.T) { asFS(t, newFs(t)) })
			if s.noHistories == "" && (full || !s.fullHistories) {
				t.Run("differential", func(t *testing.T) { differential(t, s.limits.and(s.histories, nil), newFs) })
			}
		})
	}
}
