package syncfs

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// partner is an SFTP server that behaves like none of the usual ones, and an Fs over it.
type partner struct {
	testing.TB
	server *sftptest.Server
	remote *sftpfs.Fs
	local  afero.Fs
	opts   *Options
	fs     *Fs
}

func newPartner(t testing.TB, opts *Options, characters ...sftptest.Character) *partner {
	t.Helper()
	p := &partner{TB: t, server: sftptest.Start(t, characters...), local: realDir(t), opts: opts}
	var err error
	p.remote, err = sftpfs.New(p.server.Config())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.remote.Close()) })
	p.start()
	t.Cleanup(func() { require.NoError(t, p.fs.Close()) })
	return p
}

func (p *partner) start() {
	p.Helper()
	var err error
	p.fs, err = New(p.remote, p.local, trying(p.opts))
	require.NoError(p, err)
}

func (p *partner) restart() {
	p.Helper()
	require.NoError(p, p.fs.Close())
	p.start()
}

// write writes files; each is given as "name:content".
func (p *partner) write(files ...string) {
	p.Helper()
	for _, file := range files {
		name, text, _ := strings.Cut(file, ":")
		require.NoError(p, afero.WriteFile(p.fs, name, []byte(text), 0o644))
	}
}

func (p *partner) pushes() Report {
	p.Helper()
	report, err := p.fs.Push(p.Context())
	require.NoError(p, err)
	require.Empty(p, p.fs.Pending())
	return report
}

// fails expects a Push that fails, and returns the error.
func (p *partner) fails() error {
	p.Helper()
	_, err := p.fs.Push(p.Context())
	require.Error(p, err)
	return err
}

// has expects these files on the server, as "name:content", and no others.
func (p *partner) has(files ...string) {
	p.Helper()
	got := []string{}
	require.NoError(p, afero.Walk(p.server.Fs(), "/", func(name string, fi fs.FileInfo, err error) error {
		if err != nil || fi.IsDir() {
			return err
		}
		content, err := afero.ReadFile(p.server.Fs(), name)
		got = append(got, name[1:]+":"+string(content))
		return err
	}))
	require.ElementsMatch(p, files, got)
}

// took expects these deliveries, in any order.
func (p *partner) took(files ...string) {
	p.Helper()
	got := []string{}
	for _, f := range p.server.Taken() {
		got = append(got, f.Path[1:]+":"+string(f.Content))
	}
	require.ElementsMatch(p, files, got)
}

// changes pushes files, and then one change of each kind.
func (p *partner) changes() {
	p.Helper()
	p.write("a:one", "b:two", "c:three", "d:four")
	p.pushes()
	p.has("a:one", "b:two", "c:three", "d:four")

	p.write("a:ONE", "b:another")
	require.NoError(p, p.fs.Rename("c", "e"))
	require.NoError(p, p.fs.Remove("d"))
	p.pushes()
	p.has("a:ONE", "b:another", "e:three")
}

// kinds are servers whose files change like those of any other, though they answer differently.
var kinds = map[string][]sftptest.Character{
	"object store":       {sftptest.ObjectStore()},
	"stale":              {sftptest.Stale(100 * time.Millisecond)},
	"stale object store": {sftptest.ObjectStore(), sftptest.Stale(100 * time.Millisecond)},
	"no attributes":      {sftptest.NoSetstat()},
	"no links":           {sftptest.NoSymlink()},
	"no update":          {sftptest.NoUpdate()},
	"quota":              {sftptest.Quota(1 << 10)},
	"umask":              {sftptest.Umask(0o077)},
}

// TestChangesOfFiles makes all changes of files that a server of any kind takes.
func TestChangesOfFiles(t *testing.T) {
	t.Parallel()
	for name, characters := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPartner(t, nil, characters...)
			p.changes()

			p.restart()
			require.NoError(t, p.fs.Rename("a", "f"))
			p.write("e:THREE")
			p.pushes()
			require.NoError(t, p.fs.Remove("f"))
			p.write("b:TWO")
			require.NoError(t, p.fs.Chmod("e", 0o600))
			p.pushes()
			p.has("b:TWO", "e:THREE")

			p.write("b:again", "temp:saved")
			require.NoError(t, p.fs.Rename("temp", "e"))
			p.pushes()
			p.has("b:again", "e:saved")
		})
	}
}

// A file that another client writes is never taken for one to which the server gave another time.
func TestConflictWhereRenamesRenewTheTime(t *testing.T) {
	t.Parallel()
	p := newPartner(t, nil, sftptest.ObjectStore())
	p.write("a:one", "b:two")
	p.pushes()
	require.NoError(t, p.fs.Rename("b", "c"))
	p.pushes()
	later := time.Now().Add(time.Hour)
	for _, name := range []string{"/a", "/c"} {
		require.NoError(t, afero.WriteFile(p.server.Fs(), name, []byte("ONE"), 0o644))
		require.NoError(t, p.server.Fs().Chtimes(name, later, later))
	}
	p.write("a:1st", "c:2nd")
	require.ErrorIs(t, p.fails(), ErrConflict)
	p.has("a:ONE", "c:ONE")
}

// What the server refuses to set is reported, and the file is pushed.
func TestRefusedAttributes(t *testing.T) {
	t.Parallel()
	p := newPartner(t, nil, sftptest.NoSetstat())
	p.write("a:one")
	report := p.pushes()
	require.ErrorIs(t, report.Results[0].Refused, errors.ErrUnsupported)
	require.NoError(t, p.fs.Chmod("a", 0o600))
	report = p.pushes()
	require.ErrorIs(t, report.Results[0].Refused, errors.ErrUnsupported)
	fi, err := p.fs.Stat("a")
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o644), fi.Mode(), "what the server has")
}

// The server's umask holds for a new file, a replaced file keeps its mode, and Chmod sets one.
func TestModeUnderTheUmaskOfTheServer(t *testing.T) {
	t.Parallel()
	p := newPartner(t, nil, sftptest.Umask(0o007))
	require.NoError(t, afero.WriteFile(p.server.Fs(), "/old", []byte("old"), 0o600))
	require.NoError(t, p.server.Fs().Chmod("/old", 0o664))
	for name, perm := range map[string]fs.FileMode{"plain": 0o644, "secret": 0o600, "program": 0o755, "group": 0o640, "set": 0o644} {
		require.NoError(t, afero.WriteFile(p.fs, name, []byte(name), perm))
	}
	require.NoError(t, p.fs.Chmod("set", 0o666))
	p.write("old:new")
	large := strings.Repeat("large", 100_000)
	p.write("large:" + large)
	p.pushes()
	for name, mode := range map[string]fs.FileMode{"plain": 0o640, "secret": 0o600, "program": 0o750, "group": 0o640, "set": 0o666,
		"old": 0o664, "large": 0o640} {
		fi, err := p.server.Fs().Stat("/" + name)
		require.NoError(t, err)
		require.Equal(t, mode, fi.Mode(), name)
		if fi, err = p.fs.Stat(name); err == nil {
			require.Equal(t, mode, fi.Mode(), name)
		}
		require.NoError(t, err)
	}
}

// A quota refuses what is too much, and nothing else.
func TestQuotaStopsNoOtherChange(t *testing.T) {
	t.Parallel()
	p := newPartner(t, nil, sftptest.Quota(1000))
	p.write("a:one", "large:"+strings.Repeat("x", 1001), "b:two")
	err := p.fails()
	require.ErrorIs(t, err, syscall.EDQUOT)
	require.NotErrorIs(t, err, ErrUnavailable)
	require.Len(t, p.fs.Pending(), 1)
	p.has("a:one", "b:two")
}

// A server that takes each file when it is closed gets each at most once under a temporary name, and the error says
// what helps.
func TestDropFolderTakesATemporaryFileOnce(t *testing.T) {
	t.Parallel()
	p := newPartner(t, nil, sftptest.DropFolder())
	p.write("a:one")
	err := p.fails()
	require.ErrorContains(t, err, "Options.Publish")
	require.NotErrorIs(t, err, fs.ErrNotExist)
	p.write("b:two")
	require.ErrorContains(t, p.fails(), "Options.Publish")
	p.restart()
	require.NoError(t, p.fs.Remove("b"))
	require.ErrorContains(t, p.fails(), "Options.Publish")
	require.Len(t, p.server.Taken(), 1)
	require.Equal(t, "one", string(p.server.Taken()[0].Content))
	require.Len(t, p.fs.Pending(), 1)
}

// What the server refuses names the option that may help, and leaves no temporary file.
func TestRefusalsNameTheOption(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		character sftptest.Character
		option    string
		left      int
	}{
		"rename":        {sftptest.NoRename(), "Options.Publish", 0},
		"look":          {sftptest.WriteOnly(), "Options.Publish", 1},
		"suffix":        {sftptest.Suffixes(".csv"), "Options.TempName", 0},
		"dots":          {sftptest.NoDots(), "Options.TempName", 0},
		"denied rename": {sftptest.Restricted(sftptest.Rename, sftptest.PosixRename), "Options.Publish", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPartner(t, nil, c.character)
			require.NoError(t, afero.WriteFile(p.local, "a.csv", []byte("one"), 0o644))
			require.NoError(t, p.fs.Add("a.csv"))
			err := p.fails()
			require.ErrorContains(t, err, c.option)
			require.NotErrorIs(t, err, ErrUnavailable)
			infos, readErr := afero.ReadDir(p.server.Fs(), "/")
			require.NoError(t, readErr)
			if len(infos) > 0 {
				require.ErrorContains(t, err, infos[0].Name(), "what is left there is named")
			}
			require.Len(t, infos, c.left)
		})
	}
}
