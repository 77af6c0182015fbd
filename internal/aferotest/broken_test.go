package aferotest

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

// defects are mistakes that file systems make, with cases that must see them.
var defects = []struct {
	name  string
	fs    altered
	cases []string
	found bool // by random sequences as well
}{
	{"O_EXCL is ignored", without(os.O_EXCL),
		[]string{"open/wronly+create+excl/file", "parallel/exclusive-create-has-one-winner"}, true},
	{"O_APPEND is ignored", without(os.O_APPEND),
		[]string{"append/sees-other-writers", "append/ignores-the-offset", "parallel/appends-lose-nothing"}, true},
	{"O_TRUNC is ignored", without(os.O_TRUNC),
		[]string{"open/rdwr+trunc/file", "create/truncates", "afero/writefile-truncates"}, true},
	{"Readdir never ends", files(alteredFile{readdir: func(f afero.File, n int) ([]fs.FileInfo, error) {
		fi, err := f.Stat()
		return []fs.FileInfo{fi}, err
	}}), []string{"list/readdir-by-1", "list/readdir-by-2", "list/empty-paged-is-eof"}, true},
	{"ReadAt moves the offset", files(alteredFile{readAt: func(f afero.File, p []byte, off int64) (int, error) {
		n, err := f.ReadAt(p, off)
		if err == nil {
			_, err = f.Seek(off+int64(n), 0)
		}
		return n, err
	}}), []string{"readat/leaves-the-offset"}, true},
	{"a long write loses its end", files(alteredFile{write: func(f afero.File, p []byte) (int, error) {
		_, err := f.Write(p[:min(len(p), 1<<20)])
		return len(p), err
	}}), []string{"write/large", "copy/out-of-a-file"}, false},
	{"a second Close succeeds", files(alteredFile{close: func(f afero.File) error {
		_ = f.Close()
		return nil
	}}), []string{"closed/file/close", "closed/directory/close"}, false},
	{"a file comes beside an error", altered{open: func(o osFs, name string, flag int, perm fs.FileMode) (afero.File, error) {
		f, err := o.OpenFile(name, flag, perm)
		if err != nil {
			return (*osFile)(nil), err
		}
		return f, nil
	}}, []string{"create/missing-parent", "error/open/relative"}, false},
	{"creating makes parents", altered{open: func(o osFs, name string, flag int, perm fs.FileMode) (afero.File, error) {
		if i := strings.LastIndexByte(name, '/'); i > 0 && flag&os.O_CREATE != 0 {
			_ = o.MkdirAll(name[:i], 0o755)
		}
		return o.OpenFile(name, flag, perm)
	}}, []string{"create/missing-parent"}, true},
	{"Rename does not replace", altered{rename: func(o osFs, oldname, newname string) error {
		if _, err := o.Stat(newname); err == nil {
			return &os.LinkError{Op: "rename", Old: oldname, New: newname, Err: fs.ErrExist}
		}
		return o.Rename(oldname, newname)
	}}, []string{"rename/file-over-file", "rename/write-temporary-and-replace", "rename/file-over-itself"}, true},
	{"Rename copies", altered{rename: func(o osFs, oldname, newname string) error {
		content, err := afero.ReadFile(o, oldname)
		if err != nil {
			return o.Rename(oldname, newname)
		}
		return afero.WriteFile(o, newname, content, 0o644)
	}}, []string{"rename/file-to-new", "rename/open-for-writing"}, true},
	{"Remove takes full directories", altered{remove: osFs.RemoveAll},
		[]string{"remove/full-directory", "remove/missing", "remove/twice"}, true},
	{"Mkdir of what exists succeeds", altered{mkdir: osFs.MkdirAll},
		[]string{"mkdir/existing-directory", "mkdir/missing-parent", "parallel/mkdir-has-one-winner"}, true},
	{"errors hide their reason", altered{stat: func(o osFs, name string) (fs.FileInfo, error) {
		fi, err := o.Stat(name)
		if err != nil {
			err = errors.New("stat failed")
		}
		return fi, err
	}}, []string{"stat/missing", "error/stat/absolute", "afero/exists"}, true},
	{"errors name another path", altered{stat: func(o osFs, name string) (fs.FileInfo, error) {
		fi, err := o.Stat(name)
		return fi, renamed(err, o.real(name))
	}}, []string{"stat/missing", "error/stat/relative"}, false},
	{"Stat describes the link", altered{stat: func(o osFs, name string) (fs.FileInfo, error) {
		fi, _, err := o.LstatIfPossible(name)
		return fi, err
	}}, []string{"link/dangling", "lstat/link-to-a-directory"}, true},
	{"a method panics", altered{stat: func(osFs, string) (fs.FileInfo, error) {
		panic("stat")
	}}, []string{"stat/file", "afero/exists"}, false},
}

func TestDefectsAreSeen(t *testing.T) {
	t.Parallel()
	all := map[string]Case{}
	for _, cs := range Cases() {
		all[cs.Name] = cs
	}
	for _, d := range defects {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			for _, name := range d.cases {
				require.Contains(t, all, name)
				fsys := d.fs
				fsys.osFs = osFs{root: t.TempDir()}
				require.NotEmpty(t, all[name].Check(fsys), "case %s did not see it", name)
			}
		})
	}
}

func TestDefectsAreFoundByRandomSequences(t *testing.T) {
	t.Parallel()
	for _, d := range defects {
		if !d.found {
			continue
		}
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			subject := Subject{New: func(t testing.TB) afero.Fs {
				fsys := d.fs
				fsys.osFs = osFs{root: t.TempDir()}
				return fsys
			}}
			const rounds = 10 // one nearly always does; a test may not depend on luck
			found := false
			for round := 0; round < rounds && !found; round++ {
				found = record(func(r *recorder) { differential(r, t, subject) }).failed
			}
			require.True(t, found)
		})
	}
}

// recorder is the test that rapid sees fail.
type recorder struct {
	testing.TB
	failed bool
}

// record runs f as a test of its own.
func record(f func(r *recorder)) *recorder {
	r := new(recorder)
	done := make(chan struct{})
	go func() { // FailNow ends a goroutine
		defer close(done)
		f(r)
	}()
	<-done
	return r
}

func (r *recorder) Helper()               {}
func (r *recorder) Name() string          { return "recorded" }
func (r *recorder) Log(...any)            {}
func (r *recorder) Logf(string, ...any)   {}
func (r *recorder) Error(...any)          { r.failed = true }
func (r *recorder) Errorf(string, ...any) { r.failed = true }
func (r *recorder) Fail()                 { r.failed = true }
func (r *recorder) Failed() bool          { return r.failed }
func (r *recorder) Fatal(...any)          { r.FailNow() }
func (r *recorder) Fatalf(string, ...any) { r.FailNow() }
func (r *recorder) FailNow() {
	r.failed = true
	runtime.Goexit()
}

// dead is an Fs of which every method fails, in a way that no sentinel tells.
type dead struct{}

var errDead = errors.New("dead")

func (dead) Name() string                                          { return "" }
func (dead) Create(string) (afero.File, error)                     { return nil, errDead }
func (dead) Open(string) (afero.File, error)                       { return nil, errDead }
func (dead) OpenFile(string, int, fs.FileMode) (afero.File, error) { return nil, errDead }
func (dead) Mkdir(string, fs.FileMode) error                       { return errDead }
func (dead) MkdirAll(string, fs.FileMode) error                    { return errDead }
func (dead) Remove(string) error                                   { return errDead }
func (dead) RemoveAll(string) error                                { return errDead }
func (dead) Rename(string, string) error                           { return errDead }
func (dead) Stat(string) (fs.FileInfo, error)                      { return nil, errDead }
func (dead) LstatIfPossible(string) (fs.FileInfo, bool, error)     { return nil, true, errDead }
func (dead) SymlinkIfPossible(string, string) error                { return errDead }
func (dead) ReadlinkIfPossible(string) (string, error)             { return "", errDead }
func (dead) Chmod(string, fs.FileMode) error                       { return errDead }
func (dead) Chown(string, int, int) error                          { return errDead }
func (dead) Chtimes(string, time.Time, time.Time) error            { return errDead }

// TestEveryCaseCanFail runs the suite on an Fs that does nothing.
func TestEveryCaseCanFail(t *testing.T) {
	t.Parallel()
	var passed []string
	for _, cs := range Cases() {
		if len(cs.Check(dead{})) == 0 {
			passed = append(passed, cs.Name)
		}
	}
	slices.Sort(passed)
	require.Empty(t, passed)
}

// TestMemMapFs has the suite tell what is known about an Fs in wide use.
func TestMemMapFs(t *testing.T) {
	t.Parallel()
	var failed []string
	for _, cs := range Cases() {
		if strings.HasPrefix(cs.Name, "parallel/") {
			continue // MemMapFs has data races, which would fail this test
		}
		if len(cs.Check(afero.NewMemMapFs())) > 0 {
			failed = append(failed, cs.Name)
		}
	}
	for _, name := range []string{
		"readat/short-is-eof", "append/sees-other-writers", "remove/full-directory",
		"create/missing-parent", "closed/file/read", "stat/is-a-snapshot", "link/relative",
	} {
		require.Contains(t, failed, name)
	}
	require.NotContains(t, failed, "write/large")
	require.NotContains(t, failed, "rename/file-to-new")
}
