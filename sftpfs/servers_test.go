package sftpfs_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"

	"github.com/spf13/afero"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/internal/sftpservers"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// A tested server is held to the conformance suite, to io/fs, and to random histories.
type tested struct {
	name string
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

type capabilities = map[aferotest.Capability]string

const refused = "the server is told to refuse it"

// loops are cases that only some servers have no words for.
var loops = []string{"link/to-itself", "link/loop-of-two", "link/loop-through-a-directory"}

var servers = []tested{
	{name: "sftptest", start: embedded(nil), limits: anyServer.and(noSync, nil)},
	{
		// It is held to the rules, too, as far as one can.
		name:  "sftptest with a MemMapFs",
		start: memMapFs,
		limits: anyServer.and(capabilities{
			aferotest.Links: "MemMapFs has no links",
			aferotest.Sync:  noSync[aferotest.Sync],
		}, declared(map[string]string{
			"MemMapFs has times of its own": `
				modtime/opening-for-writing-is-no-change modtime/chtimes-after-the-last-write
				modtime/directory-changes-with-its-entries`,
		})),
		noHistories: "MemMapFs differs from package os",
	},
	{name: "OpenSSH internal-sftp", start: openSSH(opensshtest.Options{}), limits: anyServer},
	{
		name: "OpenSSH sftp-server", fullHistories: true,
		start: openSSH(opensshtest.Options{Subsystem: sftpServer}), limits: anyServer,
	},
	{
		name: "OpenSSH, extensions off", fullHistories: true,
		start:  openSSH(opensshtest.Options{SFTPServerArgs: []string{"-P", strings.Join(extensions, ",")}}),
		limits: anyServer.and(capabilities{aferotest.AtomicReplace: refused, aferotest.Sync: refused}, nil),
	},
	{
		name: "OpenSSH, setstat refused", fullHistories: true,
		start: openSSH(opensshtest.Options{SFTPServerArgs: []string{"-P", "setstat"}}),
		limits: anyServer.and(capabilities{
			aferotest.Chmod: refused, aferotest.Chown: refused, aferotest.Chtimes: refused, aferotest.CreateMode: refused,
		}, nil),
	},
	{
		name: "OpenSSH, chroot and ForceCommand", full: true, start: inChroot, limits: anyServer,
	},
	{
		name: "OpenSSH, MaxSessions 1", full: true, limits: anyServer,
		start: func(t *testing.T) func(testing.TB) afero.Fs {
			server := opensshtest.Start(t, opensshtest.Options{Config: []string{"MaxSessions 1", "MaxStartups 100"}})
			return perCase(t, openSSHConfig(server))
		},
	},
	{
		name: "pkg/sftp Server", start: foreign("pkg/sftp Server"),
		limits: anyServer.but(loops...).and(capabilities{
			aferotest.Sync:         noSync[aferotest.Sync],
			aferotest.AtomicAppend: "the server writes at the offset it is told",
		}, nil),
	},
	{
		name: "ProFTPD", full: true, start: foreign("ProFTPD"),
		limits: anyServer.but(loops...).and(nil, proFTPD),
		histories: capabilities{
			aferotest.LiveHandles: "a handle does not see what another one writes behind the end that it has seen",
			aferotest.OpenRenamed: "what a file has grown by is read by its name",
			aferotest.OpenRemoved: "what a file has grown by is read by its name, and a directory that is removed is not there",
			aferotest.Sync:        noDirHandles,
		},
	},
	{
		name: "rclone", full: true, start: foreign("rclone"),
		limits: anyServer.and(capabilities{
			aferotest.Links: noneInRclone, aferotest.Chmod: noneInRclone, aferotest.Chown: noneInRclone,
			aferotest.CreateMode: noneInRclone, aferotest.Sync: noSync[aferotest.Sync],
			aferotest.ExclusiveCreate: "the server does not heed O_EXCL",
		}, rclone),
		noHistories: "all of them write in place",
	},
	{name: "dropbear", full: true, start: foreign("dropbear"), limits: anyServer},
	{
		name: "asyncssh", full: true, start: foreign("asyncssh"),
		limits: anyServer.but(loops...).and(nil, declared(map[string]string{
			"the server opens what it makes for writing alone": `
				open/rdonly+create/missing open/rdonly+create+append/missing
				open/rdonly+create+excl/missing open/rdonly+create+excl+append/missing`,
			noDirHandles: "dir/sync",
		})),
		histories: capabilities{
			aferotest.OpenRemoved: "there are no handles of directories, so one that is removed is not there",
			aferotest.Sync:        noDirHandles,
		},
	},
	{
		name: "node ssh2", full: true, start: foreign("node ssh2"),
		limits: anyServer.and(capabilities{
			aferotest.AtomicReplace: "ssh2 offers no extensions",
			aferotest.Sync:          "ssh2 offers no extensions",
		}, declared(map[string]string{
			"ssh2 reads and writes names as UTF-8": "name/file/not-utf-8 name/directory/not-utf-8",
		})),
	},
}

const (
	noneInRclone = "rclone has none, or ignores it"
	noDirHandles = "the server has no handles of directories but for listing"
)

var extensions = []string{"posix-rename", "fsync", "limits", "hardlink", "statvfs", "fstatvfs", "lsetstat"}

var proFTPD = declared(map[string]string{
	"the server does not set a mode of nothing": "chmod/none-at-all",
	noDirHandles: "dir/sync",
	"a handle does not see what another one writes behind the end that it has seen": "handles/a-write-is-seen-at-once",
	"the server answers READLINK with an absolute path, whatever is in the link": `
		link/relative link/to-the-parent link/target-is-kept-as-it-is link/dangling link/target-removed link/to-itself
		link/existing-name link/empty-target link/write-through link/tree link/removeall-through-a-link
		link/rename-dangling link/rename-target-away`,
	"the server resolves .. before links": "link/dots-follow-the-links-of-a-target",
	"the server renames what a link leads to": `
		link/rename link/rename-into-a-directory-keeps-the-target link/rename-over-a-file link/rename-file-over-a-link
		link/rename-directory-over-a-link-to-a-directory`,
	"the server creates nothing through a link": `
		link/create-through-dangling link/create-through-dangling-in-another-directory
		link/create-through-dangling-without-parent`,
})

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

// TestServers ends with a table of what became of the cases.
func TestServers(t *testing.T) {
	t.Parallel()
	full := os.Getenv("SYNCFS_FULL") == "1"
	rows := make([]string, len(servers))
	var mu sync.Mutex // guards rows
	t.Cleanup(func() {
		var table strings.Builder
		w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
		fmt.Fprintf(w, "server\tpassed\tdeclared\tfailed\trandom histories\n%s", strings.Join(rows, ""))
		w.Flush()
		t.Logf("\n%s", &table)
	})
	for i, s := range servers {
		if s.full && !full {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			newFs := s.start(t)
			passed, declared := conform(t, s.limits, newFs)
			t.Run("as fs.FS", func(t *testing.T) { asFS(t, newFs(t)) })
			histories := "none: " + s.noHistories
			switch {
			case s.noHistories != "":
			case s.fullHistories && !full:
				histories = "with SYNCFS_FULL=1"
			default:
				histories = "failed"
				if t.Run("differential", func(t *testing.T) { differential(t, s.limits.and(s.histories, nil), newFs) }) {
					histories = flag.Lookup("rapid.checks").Value.String()
				}
			}
			mu.Lock()
			defer mu.Unlock()
			failed := len(aferotest.Cases()) - passed - declared
			rows[i] = fmt.Sprintf("%s\t%d\t%d\t%d\t%s\n", s.name, passed, declared, failed, histories)
		})
	}
}
