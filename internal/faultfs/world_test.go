package faultfs_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

var errLost = errors.New("connection lost")

// calls are all operations, on "f" (content "content"), "d" (a directory) and
// files opened before the Plan counts.
var calls = []struct {
	kind faultfs.Kind
	call func(w *world) error
}{
	{faultfs.Open, func(w *world) error { f, err := w.Open("f"); return opened(f, err) }},
	{faultfs.Open, func(w *world) error { f, err := w.OpenFile("new", os.O_RDWR|os.O_CREATE, 0o600); return opened(f, err) }},
	{faultfs.Open, func(w *world) error { f, err := w.Create("new"); return opened(f, err) }},
	{faultfs.Mkdir, func(w *world) error { return w.Mkdir("new", 0o700) }},
	{faultfs.MkdirAll, func(w *world) error { return w.MkdirAll("new/new", 0o700) }},
	{faultfs.Remove, func(w *world) error { return w.Remove("f") }},
	{faultfs.RemoveAll, func(w *world) error { return w.RemoveAll("f") }},
	{faultfs.Rename, func(w *world) error { return w.Rename("f", "new") }},
	{faultfs.Stat, func(w *world) error { fi, err := w.Stat("f"); return described(fi, err) }},
	{faultfs.Lstat, func(w *world) error { fi, _, err := w.LstatIfPossible("f"); return described(fi, err) }},
	{faultfs.Chmod, func(w *world) error { return w.Chmod("f", 0o640) }},
	{faultfs.Chown, func(w *world) error { return w.Chown("f", -1, -1) }},
	{faultfs.Chtimes, func(w *world) error { return w.Chtimes("f", time.Unix(1, 0), time.Unix(1, 0)) }},
	{faultfs.Symlink, func(w *world) error { return w.SymlinkIfPossible("f", "new") }},
	{faultfs.Readlink, func(w *world) error { _, err := w.ReadlinkIfPossible("l"); return err }},
	{faultfs.Read, func(w *world) error { _, err := w.f.Read(make([]byte, 1)); return err }},
	{faultfs.ReadAt, func(w *world) error { _, err := w.f.ReadAt(make([]byte, 1), 0); return err }},
	{faultfs.Write, func(w *world) error { _, err := w.f.Write([]byte("NEW ")); return err }},
	{faultfs.Write, func(w *world) error { _, err := w.f.WriteString("NEW "); return err }},
	{faultfs.WriteAt, func(w *world) error { _, err := w.f.WriteAt([]byte("NEW "), 0); return err }},
	{faultfs.Seek, func(w *world) error { _, err := w.f.Seek(0, io.SeekEnd); return err }},
	{faultfs.Truncate, func(w *world) error { return w.f.Truncate(1) }},
	{faultfs.Sync, func(w *world) error { return w.f.Sync() }},
	{faultfs.Fstat, func(w *world) error { fi, err := w.f.Stat(); return described(fi, err) }},
	{faultfs.Readdir, func(w *world) error { _, err := w.d.Readdir(-1); return err }},
	{faultfs.Readdir, func(w *world) error { _, err := w.d.Readdirnames(-1); return err }},
	{faultfs.Close, func(w *world) error { return w.f.Close() }},
}

// world is an Fs with files open, and what is below it.
type world struct {
	*faultfs.Fs
	plan  *faultfs.Plan
	f, d  afero.File
	under afero.Fs
	below *faultfs.Plan // counts what reaches the base
}

func newWorld(t *testing.T) *world {
	under := aferotest.OS(t.TempDir())
	require.NoError(t, afero.WriteFile(under, "f", []byte("content"), 0o600))
	require.NoError(t, under.Mkdir("d", 0o700))
	require.NoError(t, under.(afero.Linker).SymlinkIfPossible("f", "l"))
	w := &world{plan: new(faultfs.Plan), below: new(faultfs.Plan), under: under}
	base := faultfs.New(under, w.below)
	var err error
	w.f, err = faultfs.New(base, w.plan).OpenFile("f", os.O_RDWR, 0)
	require.NoError(t, err)
	w.d, err = faultfs.New(base, w.plan).Open("d")
	require.NoError(t, err)
	w.Fs = faultfs.New(base, w.plan)
	t.Cleanup(func() {
		w.plan.Heal()
		w.below.Heal()
		_ = w.f.Close()
		_ = w.d.Close()
		require.Empty(t, w.plan.OpenFiles())
		require.Empty(t, w.below.OpenFiles(), "a fault leaked a file")
	})
	return w
}

func opened(f afero.File, err error) error {
	if err == nil {
		return f.Close()
	}
	if f != nil {
		return fmt.Errorf("%v beside an error", f)
	}
	return err
}

func described(fi fs.FileInfo, err error) error {
	if err != nil && fi != nil {
		return fmt.Errorf("%v beside an error", fi)
	}
	return err
}

// eachCall runs f for every operation.
func eachCall(t *testing.T, f func(t *testing.T, w *world, kind faultfs.Kind, call func() error)) {
	for i, c := range calls {
		t.Run(fmt.Sprintf("%d-%s", i, c.kind), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			f(t, w, c.kind, func() error { return c.call(w) })
		})
	}
}

func content(t *testing.T, fsys afero.Fs) map[string]aferotest.Entry {
	tree, err := aferotest.Tree(fsys)
	require.NoError(t, err)
	return tree
}
