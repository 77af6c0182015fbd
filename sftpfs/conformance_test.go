package sftpfs_test

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/pkg/sftp"
	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
)

// limits says what a server can't do: capabilities, and cases for which the suite has none.
type limits struct {
	incapable map[aferotest.Capability]string
	beyond    map[string]string
}

// anyServer has what SFTP itself can't say, whatever the server.
var anyServer = limits{
	incapable: map[aferotest.Capability]string{
		aferotest.SubSecondTimes: "SFTP times are whole seconds",
		aferotest.NotDirErrors:   "servers answer NO_SUCH_FILE for a path that leads through a file",
	},
	beyond: map[string]string{
		"link/to-itself":                "servers answer NO_SUCH_FILE for a loop",
		"link/loop-of-two":              "servers answer NO_SUCH_FILE for a loop",
		"link/loop-through-a-directory": "servers answer NO_SUCH_FILE for a loop",
		"rename/open-directory":         "pkg/sftp lists by name, not by handle",
	},
}

var noSync = map[aferotest.Capability]string{aferotest.Sync: "the server does not offer fsync@openssh.com"}

func (l limits) and(incapable map[aferotest.Capability]string, beyond map[string]string) limits {
	sum := limits{maps.Clone(l.incapable), maps.Clone(l.beyond)}
	maps.Copy(sum.incapable, incapable)
	maps.Copy(sum.beyond, beyond)
	return sum
}

// but returns the limits without those cases and capabilities.
func (l limits) but(names ...string) limits {
	fewer := l.and(nil, nil)
	for _, name := range names {
		delete(fewer.beyond, name)
		delete(fewer.incapable, aferotest.Capability(name))
	}
	return fewer
}

// lacks returns the capabilities that c needs and l declares to lack.
func (l limits) lacks(c aferotest.Case) []aferotest.Capability {
	return slices.DeleteFunc(slices.Clone(c.Needs), func(n aferotest.Capability) bool { return l.incapable[n] == "" })
}

// passing returns how many cases pass within the limits.
func (l limits) passing() int {
	n := 0
	for _, c := range aferotest.Cases() {
		if len(l.lacks(c)) == 0 && l.beyond[c.Name] == "" {
			n++
		}
	}
	return n
}

// conform runs the suite within the limits. A case that is declared to be beyond them and passes is an error, too, and so
// is a capability that is declared to be lacking, although every case that needs it passes.
func conform(t *testing.T, l limits, newFs func(testing.TB) afero.Fs) {
	for _, c := range aferotest.Cases() {
		if len(l.lacks(c)) > 0 {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			failures := c.Check(newFs(t))
			if reason := l.beyond[c.Name]; reason != "" {
				byChance := strings.HasPrefix(c.Name, "parallel/") // of many attempts, none may have hit
				require.True(t, len(failures) > 0 || byChance, "passes, though declared: %s", reason)
				return
			}
			require.Empty(t, failures)
		})
	}
	for lacked, reason := range l.incapable {
		t.Run("lacks "+string(lacked), func(t *testing.T) {
			require.True(t, l.fails(t, lacked, newFs), "all pass that need it, though declared: %s", reason)
		})
	}
}

// fails reports whether a case fails that needs the capability, and if there is one, nothing else that is lacking.
func (l limits) fails(t *testing.T, lacked aferotest.Capability, newFs func(testing.TB) afero.Fs) bool {
	var only, other []aferotest.Case
	for _, c := range aferotest.Cases() {
		if lacks := l.lacks(c); slices.Equal(lacks, []aferotest.Capability{lacked}) {
			only = append(only, c)
		} else if slices.Contains(lacks, lacked) {
			other = append(other, c)
		}
	}
	if len(only) == 0 {
		only = other
	}
	return slices.ContainsFunc(only, func(c aferotest.Case) bool { return len(c.Check(newFs(t))) > 0 })
}

// differential runs random histories against a plain directory, without links: the server knows of no root below its
// own that "..", in a link, must not leave, and says of a loop that there is nothing.
func differential(t *testing.T, l limits, newFs func(testing.TB) afero.Fs) {
	noLinks := map[aferotest.Capability]string{aferotest.Links: "the server follows them by its own rules"}
	aferotest.Differential(t, aferotest.Subject{New: newFs, Incapable: l.and(noLinks, nil).incapable})
}

// asFS holds what io/fs says of file systems against a small tree.
func asFS(t *testing.T, fsys afero.Fs) {
	require.NoError(t, fsys.MkdirAll("d/e", 0o755))
	names := []string{"f", "d/g", "d/e/h", "d/e/empty"}
	for i, name := range names {
		require.NoError(t, afero.WriteFile(fsys, name, bytes.Repeat([]byte(name), i*10), 0o644))
	}
	require.NoError(t, fstest.TestFS(afero.NewIOFS(fsys), names...))
}

// rootsOf returns a function that makes a new directory in dir and returns its path.
func rootsOf(fsys afero.Fs, dir string) func(testing.TB) string {
	var made atomic.Int64
	return func(t testing.TB) string {
		root := path.Join(dir, fmt.Sprintf("case-%d", made.Add(1)))
		require.NoError(t, fsys.Mkdir(root, 0o755))
		return root
	}
}

// overClient returns an Fs for each case, all over one client.
func overClient(client *sftp.Client, roots func(testing.TB) string) func(testing.TB) afero.Fs {
	return func(t testing.TB) afero.Fs {
		fsys := sftpfs.NewClient(client, roots(t))
		t.Cleanup(func() { require.NoError(t, fsys.Close()) })
		return fsys
	}
}

// perCase returns a function that makes a directory below cfg.Root and a connection of its own for each case.
func perCase(t *testing.T, cfg sftpfs.Config) func(testing.TB) afero.Fs {
	roots := rootsOf(newFs(t, cfg), "/")
	return func(t testing.TB) afero.Fs {
		sub := cfg
		sub.Root = path.Join(cfg.Root, roots(t))
		return newFs(t, sub)
	}
}
