package syncfs

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/mirror"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

// errDown is what a remote that cannot be reached answers.
var errDown = errors.New("no answer")

// rig is one remote, one local directory and the Fs over both.
type rig struct {
	rapid.TB
	remote afero.Fs      // past the Fs: what another client sees and does
	plan   *faultfs.Plan // of what the Fs asks of the remote
	local  afero.Fs
	opts   *Options
	fs     *Fs
	oldLog []byte
}

// newRig has real directories on both sides; the remote shows whole seconds, as SFTP does.
func newRig(t testing.TB, opts *Options) *rig {
	t.Helper()
	return rigOn(t, aferotest.OS(t.TempDir()), opts)
}

func rigOn(t testing.TB, remote afero.Fs, opts *Options) *rig {
	t.Helper()
	r := &rig{TB: t, remote: remote, plan: new(faultfs.Plan), local: realDir(t), opts: opts}
	r.start()
	t.Cleanup(r.end)
	return r
}

// randomRig is a rig for one random history; each has directories of its own. end ends it.
func randomRig(t testing.TB, rt *rapid.T, opts *Options) *rig {
	t.Helper()
	r := &rig{TB: rt, remote: aferotest.OS(t.TempDir()), plan: new(faultfs.Plan), local: realDir(t), opts: opts}
	r.start()
	return r
}

func (r *rig) end() {
	r.Helper()
	r.close()
	closesAll(r, r.plan)
}

// close ends the Fs, and expects that what the remote is taken to have is in directories that it is taken to have.
func (r *rig) close() {
	r.Helper()
	_ = r.fs.m.Do(func(v *mirror.View) error { // fails if the test has closed the Fs
		v.Tree().Nodes(func(n *tree.Node) {
			require.True(r, !n.HasBase() || n.RemotePath() != "", "%s is on the remote, in a directory that is not", n.Name())
		})
		return nil
	})
	require.NoError(r, r.fs.Close())
}

// closesAll requires that no file is left open. A call that its caller has given up may still be closing one.
func closesAll(t require.TestingT, plan *faultfs.Plan) {
	require.Eventually(t, func() bool { return len(plan.OpenFiles()) == 0 }, 10*time.Second, time.Millisecond, "left open")
}

func (r *rig) start() {
	r.Helper()
	s, err := New(faultfs.New(coarse{r.remote}, r.plan), r.local, trying(r.opts))
	require.NoError(r, err)
	r.fs = s
}

// trying returns options by which Push tries once, unless they say how long it tries, and by which what a test does past the
// Fs shows at once, unless they say how long it may not.
func trying(opts *Options) *Options {
	if opts == nil {
		opts = &Options{}
	}
	once := *opts
	if once.RetryFor == 0 {
		once.RetryFor = -1
	}
	once.Cache.ListTTL = cmp.Or(once.Cache.ListTTL, -1)
	return &once
}

// restart ends the Fs and starts it again.
func (r *rig) restart() {
	r.Helper()
	r.close()
	r.start()
}

func (r *rig) down() { r.plan.Offline(errDown) }
func (r *rig) up()   { r.plan.Offline(nil) }

// serve puts files on the remote, place into the local directory, past the Fs; write through it. A name that ends
// with a slash is a directory; the content of a file is its name, or what follows a colon.
func (r *rig) serve(files ...string) { r.Helper(); r.put(r.remote, files) }
func (r *rig) place(files ...string) { r.Helper(); r.put(r.local, files) }
func (r *rig) write(files ...string) { r.Helper(); r.put(r.fs, files) }

func (r *rig) put(fsys afero.Fs, files []string) {
	r.Helper()
	for _, file := range files {
		name, text, ok := strings.Cut(file, ":")
		if !ok {
			text = name
		}
		if strings.HasSuffix(name, "/") {
			require.NoError(r, fsys.MkdirAll(name, 0o755))
			continue
		}
		if dir := path.Dir(name); dir != "." {
			require.NoError(r, fsys.MkdirAll(dir, 0o755))
		}
		require.NoError(r, afero.WriteFile(fsys, name, []byte(text), 0o644))
	}
}

// fetch makes copies of files of the remote.
func (r *rig) fetch(names ...string) {
	r.Helper()
	for _, name := range names {
		require.NoError(r, r.fs.Fetch(context.Background(), name))
	}
}

// append adds to a file through the Fs.
func (r *rig) append(name, text string) {
	r.Helper()
	f, err := r.fs.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	require.NoError(r, err)
	_, err = f.WriteString(text)
	require.NoError(r, err)
	require.NoError(r, f.Close())
}

func (r *rig) push() (Report, error) { return r.fs.Push(context.Background()) }

// pushes expects that all is pushed, and that then the remote equals the view, with nothing of the library's in it.
func (r *rig) pushes() Report {
	r.Helper()
	report, err := r.push()
	require.NoError(r, err)
	require.Empty(r, r.fs.Pending())
	require.Empty(r, aferotest.Diff(r.view(), r.served()), "the remote differs from the view")
	return report
}

// fails expects a push that fails with an error.
func (r *rig) fails(target error) Report {
	r.Helper()
	report, err := r.push()
	require.ErrorIs(r, err, target)
	return report
}

// served is what the remote has, view what the program sees.
func (r *rig) served() map[string]aferotest.Entry { r.Helper(); return contents(r, r.remote) }
func (r *rig) view() map[string]aferotest.Entry   { r.Helper(); return contents(r, r.fs) }

// contents is a tree without permissions, which the umask has a part in, and times.
func contents(t rapid.TB, fsys afero.Fs) map[string]aferotest.Entry {
	t.Helper()
	tree, err := aferotest.Tree(fsys)
	require.NoError(t, err)
	for name, e := range tree {
		e.Perm, e.ModTime = 0, time.Time{}
		tree[name] = e
	}
	return tree
}

// list gives a tree as serve takes it: directories with a slash, files with their content.
func list(tree map[string]aferotest.Entry) []string {
	files := []string{}
	for name, e := range tree {
		switch e.Type {
		case fs.ModeDir:
			name += "/"
		case fs.ModeSymlink:
			name += "@" + e.Target
		default:
			name += ":" + e.Content
		}
		files = append(files, name)
	}
	return files
}

// has expects all that the remote, or the view, has.
func (r *rig) has(tree map[string]aferotest.Entry, files ...string) {
	r.Helper()
	require.ElementsMatch(r, files, list(tree))
}

// pending is the queue, a line for each change.
func (r *rig) pending() []string {
	lines := []string{}
	for _, c := range r.fs.Pending() {
		lines = append(lines, c.String())
	}
	return lines
}

// queued expects the queue, in any order.
func (r *rig) queued(lines ...string) {
	r.Helper()
	if lines == nil {
		lines = []string{}
	}
	require.ElementsMatch(r, lines, r.pending())
}

func (r *rig) reads(name, text string) {
	r.Helper()
	got, err := afero.ReadFile(r.fs, name)
	require.NoError(r, err)
	require.Equal(r, text, string(got))
}

// discarded lists what Discard has kept.
func (r *rig) discarded() []string {
	r.Helper()
	texts := []string{}
	infos, err := afero.ReadDir(r.local, ".syncfs/discarded")
	require.NoError(r, err)
	for _, info := range infos {
		text, err := afero.ReadFile(r.local, ".syncfs/discarded/"+info.Name())
		require.NoError(r, err)
		texts = append(texts, string(text))
	}
	return texts
}

// coarse shows times in whole seconds.
type coarse struct{ afero.Fs }

type coarseInfo struct{ fs.FileInfo }

func (i coarseInfo) ModTime() time.Time { return i.FileInfo.ModTime().Truncate(time.Second) }

func wholeSeconds(fi fs.FileInfo, err error) (fs.FileInfo, error) {
	if err != nil {
		return nil, err
	}
	return coarseInfo{fi}, nil
}

func (c coarse) Stat(name string) (fs.FileInfo, error) { return wholeSeconds(c.Fs.Stat(name)) }

func (c coarse) LstatIfPossible(name string) (fs.FileInfo, bool, error) {
	fi, did, err := c.Fs.(afero.Lstater).LstatIfPossible(name)
	fi, err = wholeSeconds(fi, err)
	return fi, did, err
}

func (c coarse) SymlinkIfPossible(oldname, newname string) error {
	return c.Fs.(afero.Linker).SymlinkIfPossible(oldname, newname)
}

func (c coarse) ReadlinkIfPossible(name string) (string, error) {
	return c.Fs.(afero.LinkReader).ReadlinkIfPossible(name)
}

func (c coarse) Open(name string) (afero.File, error) { return c.OpenFile(name, os.O_RDONLY, 0) }

func (c coarse) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	f, err := c.Fs.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return coarseFile{f}, nil
}

type coarseFile struct{ afero.File }

func (f coarseFile) Stat() (fs.FileInfo, error) { return wholeSeconds(f.File.Stat()) }

func (f coarseFile) Readdir(n int) ([]fs.FileInfo, error) {
	infos, err := f.File.Readdir(n)
	for i := range infos {
		infos[i] = coarseInfo{infos[i]}
	}
	return infos, err
}
