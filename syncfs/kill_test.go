//go:build unix

// A process is killed with SIGKILL, which other systems don't have: there a process can only be ended by others in the
// way in which it ends itself, with what the runtime does then.

package syncfs

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// killServers serve a directory.
var killServers = []struct {
	name   string
	start  func(t testing.TB) (killServer, string)
	direct bool // PublishDirect
}{
	{"embedded server", startEmbedded, false},
	{"OpenSSH", startOpenSSH, false},
	{"OpenSSH, delivered directly", startOpenSSH, true},
}

func startOpenSSH(t testing.TB) (killServer, string) {
	s := opensshtest.Start(t, opensshtest.Options{})
	return killServer{Addr: s.Addr, User: s.User, Root: s.Root, KeyFile: s.KeyFile, KnownHosts: s.KnownHosts}, s.Root
}

func startEmbedded(t testing.TB) (killServer, string) {
	root, keys := t.TempDir(), t.TempDir()
	signer := func(name string) ssh.Signer {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		require.NoError(t, err)
		block, err := ssh.MarshalPrivateKey(key, "")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(keys, name), pem.EncodeToMemory(block), 0o600))
		s, err := ssh.NewSignerFromKey(key)
		require.NoError(t, err)
		return s
	}
	host, user := signer("host"), signer("user")
	server, err := sftptest.New(&sftptest.Options{Fs: aferotest.OS(root), HostKeys: []ssh.Signer{host},
		AuthorizedKeys: []ssh.PublicKey{user.PublicKey()}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	known := filepath.Join(keys, "known_hosts")
	line := knownhosts.Line([]string{server.Addr()}, host.PublicKey()) + "\n"
	require.NoError(t, os.WriteFile(known, []byte(line), 0o600))
	return killServer{Addr: server.Addr(), User: server.Config().User, Root: "/", KeyFile: filepath.Join(keys, "user"),
		KnownHosts: known}, root
}

// One process after the other works on a local directory, makes random calls, pushes and fetches meanwhile, and is
// killed at a random moment. Whatever it was told to have done is there after the restart; the one call that was under
// way happened or did not; what is pushed then is what the program saw; and at no moment is there a part of a file on
// the remote, except with PublishDirect.
func TestKill(t *testing.T) {
	t.Parallel()
	kills := 10
	if full() {
		kills = 500
	}
	seed := mathrand.Uint64()
	for _, server := range killServers {
		t.Run(server.name, func(t *testing.T) {
			t.Parallel()
			setting, served := server.start(t)
			w := startedKillWorld(t, served, map[string]string{"a": "served a", "d1/b": "served b"})
			w.rand = mathrand.New(mathrand.NewPCG(seed, 0))
			w.child.Server, w.child.Direct = &setting, server.direct
			remote, err := setting.dial()
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, remote.Close()) })
			w.remote = remote
			for i := range kills {
				if !t.Run(fmt.Sprintf("seed %d kill %d", seed, i), func(t *testing.T) { w.round(t, i) }) {
					return
				}
			}
		})
	}
}

// round lets one child work on the state that the one before left.
func (w *killWorld) round(t *testing.T, i int) {
	w.TB = t
	w.child.Seed, w.child.Tag = w.rand.Uint64(), fmt.Sprint(i)
	cold := fmt.Sprintf("cold-%d", i)
	size := w.rand.IntN(10000)
	if i%4 == 0 {
		size = 2 << 20
	}
	w.serve(cold, strings.Repeat(cold, size/len(cold)))
	tree, err := aferotest.Tree(aferotest.OS(w.served))
	require.NoError(t, err)
	w.model = newKillModel(t, tree, w.model.whole) // a directory of this test's
	w.child.Extra = append(w.child.Extra[max(0, len(w.child.Extra)-3):], cold)

	o := observe(w.served)
	under, _ := w.run(1+w.rand.IntN(120), time.Duration(w.rand.IntN(5000))*time.Microsecond)
	s := w.open(under)
	w.settle(s)
	for hash, name := range o.end() {
		require.True(t, w.model.whole[hash] || w.child.Direct, "%s: a content that was never complete", name)
	}
	for _, name := range w.model.names(t) {
		if w.rand.IntN(2) == 0 {
			if err := s.m.Evict(name); !errors.Is(err, ErrBusy) || !guarded(t, s, name) {
				require.NoError(t, err)
			}
		}
	}
	require.NoError(t, s.Close())
}

// guarded says whether the copy of a file has to stay since a request that got no answer may still be carried out.
func guarded(t *testing.T, s *Fs, name string) (yes bool) {
	t.Helper()
	require.NoError(t, s.m.Do(func(v *mirror.View) error {
		n := v.Tree().AtRemote(name)
		yes = n != nil && v.Tree().Guarded(n)
		return nil
	}))
	return yes
}
