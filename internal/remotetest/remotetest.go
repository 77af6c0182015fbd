// Package remotetest provides the remotes for the tests of packages that use one: a directory, a file system in memory,
// and an SFTP server of each kind, each with a second client to observe it.
package remotetest

import (
	"maps"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/pkg/sftp"
	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/memremote"
	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// Limits are capabilities that are missing, each with the reason.
type Limits map[aferotest.Capability]string

// And returns the union of both.
func (l Limits) And(more Limits) Limits {
	both := maps.Clone(l)
	if both == nil {
		both = Limits{}
	}
	maps.Copy(both, more)
	return both
}

// Only returns the limits in these capabilities.
func (l Limits) Only(capabilities ...aferotest.Capability) Limits {
	only := Limits{}
	for _, c := range capabilities {
		if why, limited := l[c]; limited {
			only[c] = why
		}
	}
	return only
}

// Kind is one kind of remote.
type Kind struct {
	Name string
	// Start starts what the remotes of this kind share, such as a server, until t ends.
	Start func(t *testing.T) Remote
}

// Kinds are all kinds of remotes.
var Kinds = []Kind{
	{"directory", directory},
	{"directory with short cuts", quickDirectory},
	{"memory", memory},
	{"embedded server", embedded},
	{"OpenSSH", openSSH},
}

// Remote makes remotes of one kind.
type Remote struct {
	// Limits are the limits of a program that uses the remote directly.
	Limits Limits
	// Loops are limits of random sequences of operations, which make symbolic links of all sorts.
	Loops Limits
	// New makes an empty remote. The observer shows the same tree through another client. They end with t, which must end
	// before the t of Start.
	New func(t testing.TB) (remote, observer afero.Fs)
}

// directory is a plain directory.
func directory(*testing.T) Remote {
	return Remote{New: func(t testing.TB) (remote, observer afero.Fs) {
		dir := t.TempDir()
		return aferotest.OS(dir), aferotest.OS(dir)
	}}
}

// quickDirectory is a directory with optional methods.
func quickDirectory(*testing.T) Remote {
	return Remote{New: func(t testing.TB) (remote, observer afero.Fs) {
		dir := t.TempDir()
		return Quick(aferotest.OS(dir)), aferotest.OS(dir)
	}}
}

// memory is a MemMapFs, which programs use in their tests.
func memory(*testing.T) Remote {
	return Remote{Limits: memoryLimits, New: func(t testing.TB) (remote, observer afero.Fs) {
		memory := &afero.MemMapFs{}
		return memory, memremote.Of(memory)
	}}
}

var memoryLimits = Limits{
	aferotest.Links:          "MemMapFs has no links",
	aferotest.LongNames:      "MemMapFs takes names of any length",
	aferotest.DirectoryTimes: "MemMapFs does not keep them",
	aferotest.CreateMode:     "MemMapFs has no umask",
}

// sftpLimits are limits of SFTP itself, whatever the server.
var sftpLimits = Limits{
	aferotest.SubSecondTimes:  "SFTP times are whole seconds",
	aferotest.NotDirErrors:    "servers answer NO_SUCH_FILE for a path that leads through a file",
	aferotest.OpenDirectories: "SFTP lists by name",
}

var sftpLoops = Limits{
	aferotest.Links: "servers follow loops, and links above the root, by their own rules",
}

// embedded is the server of package sftptest.
func embedded(t *testing.T) Remote {
	server, err := sftptest.New(nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	cfg := server.Config()
	r := overServer(t, "/", cfg.Addr, &ssh.ClientConfig{
		User: cfg.User, Auth: cfg.Auth, HostKeyCallback: cfg.HostKeyCallback,
	})
	r.Limits = r.Limits.And(Limits{aferotest.Sync: "the server does not offer fsync@openssh.com"})
	return r
}

// openSSH is the server of OpenSSH.
func openSSH(t *testing.T) Remote {
	server := opensshtest.Start(t, opensshtest.Options{})
	pem, err := os.ReadFile(server.KeyFile)
	require.NoError(t, err)
	key, err := ssh.ParsePrivateKey(pem)
	require.NoError(t, err)
	known, err := knownhosts.New(server.KnownHosts)
	require.NoError(t, err)
	return overServer(t, filepath.ToSlash(server.Root), server.Addr, &ssh.ClientConfig{
		User: server.User, Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: known,
	})
}

// overServer returns remotes that are directories below a root of a server. Connecting takes long, so the remotes share
// a client, and the observers another one.
func overServer(t *testing.T, root, addr string, cfg *ssh.ClientConfig) Remote {
	client, other := dial(t, addr, cfg), dial(t, addr, cfg)
	var made atomic.Int64
	return Remote{Limits: sftpLimits, Loops: sftpLoops, New: func(t testing.TB) (remote, observer afero.Fs) {
		dir := path.Join(root, strconv.FormatInt(made.Add(1), 10))
		require.NoError(t, client.Mkdir(dir))
		require.NoError(t, client.Chmod(dir, 0o700)) // like a temporary directory
		return over(t, client, dir), over(t, other, dir)
	}}
}

func over(t testing.TB, client *sftp.Client, dir string) afero.Fs {
	fsys := sftpfs.NewClient(client, dir)
	t.Cleanup(func() { require.NoError(t, fsys.Close()) })
	return fsys
}

func dial(t *testing.T, addr string, cfg *ssh.ClientConfig) *sftp.Client {
	t.Helper()
	conn, err := ssh.Dial("tcp", addr, cfg)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close(); _ = conn.Wait() })
	client, err := sftp.NewClient(conn)
	require.NoError(t, err)
	t.Cleanup(func() { client.Close() })
	return client
}

// RequireSame checks that two trees are equal, apart from the limits.
func (l Limits) RequireSame(t require.TestingT, want, got afero.Fs) {
	trees := make([]map[string]aferotest.Entry, 2)
	for i, fsys := range []afero.Fs{want, got} {
		tree, err := aferotest.Tree(fsys)
		require.NoError(t, err)
		if _, limited := l[aferotest.CreateMode]; limited {
			for name, e := range tree {
				e.Perm = 0
				tree[name] = e
			}
		}
		trees[i] = tree
	}
	require.Empty(t, aferotest.Diff(trees[0], trees[1]), "the remote")
}
