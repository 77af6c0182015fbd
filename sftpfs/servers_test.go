package sftpfs_test

import (
	"os"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/internal/sftpservers"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
)

func foreignConfig(s sftpservers.Server) sftpfs.Config {
	cfg := sftpfs.Config{
		Addr: s.Addr, User: s.User, Root: s.Root, Password: s.Password,
		KeyFiles: []string{}, HostKeyCallback: ssh.FixedHostKey(s.HostKey),
	}
	if s.Password == "" {
		cfg.Auth = []ssh.AuthMethod{ssh.PublicKeys(s.Key)}
	}
	return cfg
}

// loops are cases that only some servers have no words for.
var loops = []string{"link/to-itself", "link/loop-of-two", "link/loop-through-a-directory"}

// foreign says what each server can't do.
var foreign = map[string]limits{
	"pkg/sftp Server": anyServer.but(loops...).and(map[aferotest.Capability]string{
		aferotest.Sync:         "the server does not offer fsync@openssh.com",
		aferotest.AtomicAppend: "the server writes at the offset it is told",
	}, nil),
	"ProFTPD": anyServer.but(loops...).and(map[aferotest.Capability]string{
		aferotest.Links: "the server answers READLINK with an absolute path, whatever is in the link",
	}, map[string]string{
		"chmod/none-at-all":               "the server does not set a mode of nothing",
		"dir/sync":                        noDirHandles,
		"handles/a-write-is-seen-at-once": "a handle does not see what another one writes behind the end that it has seen",
		"truncate/large-and-sparse":       "the server ends the file where it was before it was extended",
	}),
	"dropbear": anyServer,
	"asyncssh": anyServer.but(loops...).and(nil, map[string]string{
		"open/rdonly+create/missing":             cannotReadNew,
		"open/rdonly+create+append/missing":      cannotReadNew,
		"open/rdonly+create+excl/missing":        cannotReadNew,
		"open/rdonly+create+excl+append/missing": cannotReadNew,
		"dir/sync":                               noDirHandles,
	}),
}

const (
	cannotReadNew = "the server opens what it makes for writing alone"
	noDirHandles  = "the server has no handles of directories but for listing"
)

// beyondRandom says why random histories are left out for a server.
var beyondRandom = map[string]string{
	"ProFTPD":  "a handle does not see what another one writes",
	"asyncssh": "there are no handles of directories, so one that is removed is not there",
}

// The first one is part of the process. The others are tested with SYNCFS_FULL=1.
func TestConformanceForeign(t *testing.T) {
	t.Parallel()
	kinds := sftpservers.Kinds
	if os.Getenv("SYNCFS_FULL") != "1" {
		kinds = kinds[:1]
	}
	for _, kind := range kinds {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			s := kind.Start(t)
			cfg := foreignConfig(s)
			client := dial(t, s.Addr, &ssh.ClientConfig{
				User: s.User, HostKeyCallback: cfg.HostKeyCallback, HostKeyAlgorithms: []string{s.HostKey.Type()},
				Auth: append(cfg.Auth, ssh.Password(s.Password)),
			})
			newFs := overClient(client, rootsOf(sftpfs.NewClient(client, "/"), s.Root))
			conform(t, foreign[kind.Name], newFs)
			if why := beyondRandom[kind.Name]; why != "" {
				t.Logf("no random histories: %s", why)
				return
			}
			t.Run("differential", func(t *testing.T) { differential(t, foreign[kind.Name], newFs) })
		})
	}
}

// OpenSSH as others set it up.
func TestConformanceOpenSSHVariants(t *testing.T) {
	t.Parallel()
	script(t, "") // looks whether there is an external server
	const refused = "the server is told to refuse it"
	for name, c := range map[string]struct {
		options opensshtest.Options
		limits  limits
	}{
		"external server": {opensshtest.Options{Subsystem: sftpServer}, anyServer},
		"extensions off": {
			opensshtest.Options{SFTPServerArgs: []string{"-P", "posix-rename,fsync,limits,hardlink,statvfs,fstatvfs,lsetstat"}},
			anyServer.and(map[aferotest.Capability]string{aferotest.AtomicReplace: refused, aferotest.Sync: refused}, nil),
		},
		"setstat refused": {
			opensshtest.Options{SFTPServerArgs: []string{"-P", "setstat"}},
			anyServer.and(map[aferotest.Capability]string{
				aferotest.Chmod: refused, aferotest.Chown: refused, aferotest.Chtimes: refused, aferotest.CreateMode: refused,
			}, nil),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := opensshtest.Start(t, c.options)
			client := dialOpenSSH(t, server)
			conform(t, c.limits, overClient(client, rootsOf(sftpfs.NewClient(client, "/"), server.Root)))
		})
	}
}
