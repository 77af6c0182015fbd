package syncfs

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/memremote"
)

// Two clients with two local directories share one afero.MemMapFs, as in a test of a program. Their pushes alternate. Whatever
// one of them made is somewhere until it is discarded, and in the end both see what the remote has.
func TestTwoClientsOfOneMemory(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		memory := afero.NewMemMapFs().(*afero.MemMapFs)
		remote := memremote.Of(memory)
		opts := &Options{Conflict: rapid.SampledFrom([]ConflictPolicy{Fail, KeepBoth}).Draw(rt, "policy"),
			Cache: cachefs.Options{Revalidate: cachefs.Always}}
		clients := []*Fs{}
		for range 2 {
			s, err := New(memory, realDir(t), trying(opts))
			require.NoError(rt, err)
			defer func() { require.NoError(rt, s.Close()) }()
			clients = append(clients, s)
		}
		require.NoError(rt, remote.MkdirAll("d/e", 0o755))
		require.NoError(rt, afero.WriteFile(remote, "d/a", []byte("0"), 0o644))

		somePath := func(label string) string {
			return rapid.SampledFrom([]string{"d/a", "b", "d/e/c", "n"}).Draw(rt, label)
		}
		push := func(c *Fs) {
			if err := second(c.Push(t.Context())); err != nil {
				require.ErrorIs(rt, err, ErrConflict)
			} else {
				require.Empty(rt, c.Pending())
			}
		}
		var made []string
		for i := range rapid.IntRange(3, 20).Draw(rt, "calls") {
			c, name := clients[rapid.IntRange(0, 1).Draw(rt, "client")], somePath("name")
			switch rapid.SampledFrom([]string{"append", "create", "rename", "push", "push"}).Draw(rt, "op") {
			case "append":
				if text, err := afero.ReadFile(c, name); err == nil {
					require.NoError(rt, afero.WriteFile(c, name, fmt.Appendf(text, " +%d", i), 0o644))
				}
			case "create":
				if err := second(c.Stat(name)); err != nil {
					require.ErrorIs(rt, err, fs.ErrNotExist)
					made = append(made, fmt.Sprintf("<%d>", i))
					require.NoError(rt, afero.WriteFile(c, name, []byte(made[len(made)-1]), 0o644))
				}
			case "rename":
				if to := somePath("to"); second(c.Stat(to)) != nil {
					_ = c.Rename(name, to)
				}
			case "push":
				push(c)
			}
		}
		for range 2 {
			push(clients[0])
			push(clients[1])
		}
		var all strings.Builder
		for _, fsys := range []afero.Fs{remote, clients[0], clients[1]} {
			_ = afero.Walk(fsys, "/", func(name string, _ fs.FileInfo, _ error) error {
				text, _ := afero.ReadFile(fsys, name) // what was renamed may have been removed on the remote
				all.Write(text)
				return nil
			})
		}
		for _, text := range made {
			require.Contains(rt, all.String(), text)
		}
		for _, c := range clients {
			require.NoError(rt, c.Discard())
			require.NoError(rt, second(c.Push(t.Context())))
		}
		served := contents(rt, remote)
		for _, c := range clients {
			require.Empty(rt, aferotest.Diff(served, contents(rt, c)))
		}
	})
}
