package syncfs

import (
	"fmt"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// watch is a remote that looks at each file under a visible name after each request that may have changed it. A file must
// have a whole content that somebody wrote; with parts, it may also have the beginning of one. Each content that is queued
// under a name is completed there at most once, unless it may be repeated: what a fault of the local side keeps from being
// recorded is.
type watch struct {
	refusable
	under     afero.Fs // what it looks at
	parts     bool
	repeats   bool
	versions  map[string]bool   // contents that somebody wrote
	wanted    map[string]string // contents by name, when the last Push began
	completed map[string]string // by name: the content that a request completed last
	wrong     []string
}

// newWatch watches requests to a remote that has what under has.
func newWatch(t *testing.T, remote refusable, under afero.Fs, parts bool) *watch {
	w := &watch{refusable: remote, under: under, parts: parts, versions: map[string]bool{}, completed: map[string]string{}}
	w.begin(t, under)
	return w
}

// begin notes the contents of a tree as versions that may be pushed.
func (w *watch) begin(t *testing.T, fsys afero.Fs) {
	t.Helper()
	tree, err := aferotest.Tree(fsys)
	require.NoError(t, err)
	w.wanted = map[string]string{}
	for name, e := range tree {
		if e.Type.IsRegular() {
			w.versions[e.Content], w.wanted["/"+name] = true, e.Content
		}
	}
}

// queued lets a content be completed again, since it was queued again as it is.
func (w *watch) queued(name string) { delete(w.completed, name) }

// look looks at a file after a request; completes is set if the request completes it.
func (w *watch) look(request, name string, completes bool) {
	if localdir.Reserved(path.Base(name)) {
		return
	}
	b, err := afero.ReadFile(w.under, name)
	if err != nil {
		return // removed, or a directory
	}
	content := string(b)
	if !w.versions[content] && !(w.parts && w.begins(content)) {
		w.wrong = append(w.wrong, fmt.Sprintf("after %s %s has %.40q, which nobody wrote", request, name, content))
	}
	if completes && content != "" && content == w.wanted[name] {
		if w.completed[name] == content && !w.repeats {
			w.wrong = append(w.wrong, fmt.Sprintf("%s completes %s once more, with %.40q", request, name, content))
		}
		w.completed[name] = content
	}
}

// begins reports whether a content is the beginning of a version.
func (w *watch) begins(content string) bool {
	for version := range w.versions {
		if strings.HasPrefix(version, content) {
			return true
		}
	}
	return false
}

// check requires that all was well so far.
func (w *watch) check(t *testing.T) {
	t.Helper()
	require.Empty(t, w.wrong)
}

func (w *watch) Rename(oldname, newname string) error {
	err := w.refusable.Rename(oldname, newname)
	w.look("rename "+oldname, newname, err == nil && localdir.Reserved(path.Base(oldname)))
	return err
}

func (w *watch) Open(name string) (afero.File, error) { return w.OpenFile(name, os.O_RDONLY, 0) }

func (w *watch) OpenFile(name string, flag int, perm os.FileMode) (afero.File, error) {
	f, err := w.refusable.OpenFile(name, flag, perm)
	if flag&(os.O_WRONLY|os.O_RDWR) == 0 {
		return f, err
	}
	w.look("open", name, false)
	if err != nil {
		return nil, err
	}
	return &watchedFile{File: f, w: w, name: name}, nil
}

// watchedFile is a file that is open for writing.
type watchedFile struct {
	afero.File
	w      *watch
	name   string
	failed bool
}

func (f *watchedFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	f.failed = f.failed || err != nil
	f.w.look("write", f.name, false)
	return n, err
}

func (f *watchedFile) Close() error {
	err := f.File.Close()
	f.w.look("close", f.name, !f.failed)
	return err
}
