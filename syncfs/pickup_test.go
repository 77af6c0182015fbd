package syncfs

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/sftpsyncer/go-syncfs/internal/link"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/internal/sftpservers"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// pickedUp is an Fs over a directory of an OpenSSH server out of which a program takes each file as soon as it is closed or
// renamed.
type pickedUp struct {
	*partner
	link   *link.Link
	pickup *sftpservers.Pickup
}

func newPickedUp(t *testing.T, opts *Options) *pickedUp {
	server := opensshtest.Start(t, opensshtest.Options{})
	in := filepath.Join(server.Root, "in")
	require.NoError(t, os.MkdirAll(in, 0o755))
	require.NoError(t, os.MkdirAll(filepath.Join(server.Root, "incoming"), 0o755))
	p := &pickedUp{partner: &partner{TB: t, local: realDir(t), opts: opts}, pickup: sftpservers.StartPickup(t, in)}
	var err error
	p.link, err = link.New(server.Addr, link.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.link.Close()) })
	p.remote, err = sftpfs.New(sftpfs.Config{Addr: p.link.Addr(), User: server.User, Root: server.Root,
		KeyFiles: []string{server.KeyFile}, HostKeyCallback: ssh.InsecureIgnoreHostKey()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.remote.Close()) })
	p.start()
	t.Cleanup(func() { require.NoError(t, p.fs.Close()) })
	return p
}

// picked expects these files to have been taken, as "name:content", in any order.
func (p *pickedUp) picked(files ...string) {
	p.Helper()
	got, want := []string{}, []string{}
	for _, f := range p.pickup.Taken() {
		got = append(got, fmt.Sprintf("in/%s:%.20s %d", f.Name, f.Content, len(f.Content)))
	}
	for _, file := range files {
		name, text, _ := strings.Cut(file, ":")
		want = append(want, fmt.Sprintf("%s:%.20s %d", name, text, len(text)))
	}
	require.ElementsMatch(p, want, got)
}

// With the default options, a file that is taken under its temporary name is sent once, and the error names the option that
// helps. One that is renamed before is taken under its name.
func TestPickupTakesATemporaryFileOnce(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 10, 1 << 20} {
		p := newPickedUp(t, nil)
		for i := range 3 {
			p.write(fmt.Sprintf("in/%d:%d", i, i) + strings.Repeat("x", size))
		}
		report, err := p.fs.Push(t.Context())
		taken := p.pickup.Taken()
		names := map[string]int{}
		for _, f := range taken {
			names[f.Content[:1]]++
			if !localdir.Reserved(f.Name) {
				names[f.Name]--
			}
		}
		left := 0
		for _, r := range report.Results {
			name := path.Base(r.Name)
			require.LessOrEqual(t, names[name], 1)
			if r.Err != nil {
				left++
				require.ErrorContains(t, r.Err, "Options.Publish")
				require.NotErrorIs(t, r.Err, ErrUnavailable)
			} else {
				require.Zero(t, names[name], "it is taken under its name")
			}
		}
		if left > 0 {
			require.Error(t, err)
		}
		for range 2 {
			require.Len(t, p.fs.Pending(), left)
			_, _ = p.fs.Push(t.Context())
			p.restart()
			_, _ = p.fs.Push(t.Context())
			require.Equal(t, taken, p.pickup.Taken(), "size %d", size)
		}
	}
}

// With PublishDirect, each file is taken once, whole and under its name, and again when it was written again. Whether a result
// says Taken depends on who is faster, the program that takes the file or the look after the upload: TestDropFolder.
func TestPickupDirectly(t *testing.T) {
	t.Parallel()
	p := newPickedUp(t, direct)
	files := []string{"in/empty:", "in/large:" + bulk(1, 8)}
	for i := range 40 {
		files = append(files, fmt.Sprintf("in/%d:content %d", i, i))
	}
	p.write(files...)
	delivered := files
	for range 2 {
		p.pushes()
		p.picked(delivered...)
		p.restart()
	}
	again := []string{"in/0:again", "in/large:small"}
	p.write(again...)
	p.pushes()
	p.pushes()
	p.picked(append(delivered, again...)...)
}

// A large delivery that was cut starts over. What the program gets meanwhile is a part, and then the whole.
func TestPickupOfACutDelivery(t *testing.T) {
	t.Parallel()
	for _, opts := range []*Options{direct, {TempName: func(_, id string) string { return "incoming/" + id }}} {
		p := newPickedUp(t, opts)
		content := bulk(1, 16)
		p.write("in/large:" + content)
		cut := p.link.CutAfter(link.Up, 11*block)
		require.ErrorIs(t, p.fails(), ErrUnavailable)
		<-cut.Came()
		_, err := p.fs.Push(t.Context())
		if errors.Is(err, ErrConflict) {
			t.Log("in doubt:", err)
		}
		require.NoError(t, err)
		whole := 0
		for _, f := range p.pickup.Taken() {
			require.True(t, strings.HasPrefix(content, f.Content))
			if len(f.Content) == len(content) {
				whole++
			} else {
				require.Same(t, direct, opts, "a part under the final name")
			}
		}
		require.Equal(t, 1, whole)
	}
}

// Temporary files in a directory that is not watched are renamed into the one that is, whole.
func TestPickupOfRenamedFiles(t *testing.T) {
	t.Parallel()
	p := newPickedUp(t, &Options{TempName: func(target, id string) string { return "incoming/" + id + path.Ext(target) }})
	files := []string{"in/empty:", "in/small.csv:content", "in/large:" + bulk(1, 8)}
	p.write(files...)
	p.pushes()
	p.picked(files...)
	p.restart()
	p.pushes()
	p.write("in/small.csv:again")
	p.pushes()
	p.pushes()
	p.picked(append(files, "in/small.csv:again")...)
	infos, err := afero.ReadDir(p.remote, "incoming")
	require.NoError(t, err)
	require.Empty(t, infos)
}

// A temporary file that is taken right before it is renamed is sent once, too.
func TestTemporaryFileTakenBeforeItsRename(t *testing.T) {
	t.Parallel()
	for _, over := range []bool{false, true} {
		var server *sftptest.Server
		taken := map[string]bool{} // by name
		takes := func(o *sftptest.Options) {
			o.Hooks = append(o.Hooks, func(r *sftptest.Request) sftptest.Answer {
				if r.Kind == sftptest.Rename || r.Kind == sftptest.PosixRename {
					taken[r.Path] = true
					_ = server.Fs().Remove(r.Path)
				}
				return r.Next()
			})
		}
		p := newPartner(t, nil, takes)
		server = p.server
		if over {
			require.NoError(t, afero.WriteFile(server.Fs(), "/a", []byte("old"), 0o644))
		}
		p.write("a:one")
		for range 3 {
			require.ErrorContains(t, p.fails(), "Options.Publish")
			p.restart()
		}
		require.Len(t, taken, 1)
	}
}
