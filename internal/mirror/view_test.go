package mirror

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
	"github.com/sftpsyncer/go-syncfs/internal/download"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// world is a remote that others change, and a mirror that asks at every call. What the program sees is what the remote has.
type world struct {
	*rapid.T
	remote  afero.Fs // as package os
	local   afero.Fs
	options Options
	m       *FS
	mtime   time.Time
	dirs    map[string]afero.File // open directories
}

func (w *world) open() {
	m, err := Open(w.remote, w.local, w.options)
	require.NoError(w, err)
	w.m = m
}

func (w *world) close() {
	for name, d := range w.dirs {
		require.NoError(w, d.Close())
		delete(w.dirs, name)
	}
	require.NoError(w, w.m.Close())
}

var worldNames = []string{"a", "b", "d", "d/a", "d/b", "d/e", "d/e/a", "l", "d/l"}

func (w *world) name() string { return rapid.SampledFrom(worldNames).Draw(w.T, "name") }

// stamp gives a file a time of its own: versions are told apart by size and time.
func (w *world) stamp(name string) {
	w.mtime = w.mtime.Add(3 * time.Second)
	require.NoError(w, w.remote.Chtimes("/"+name, w.mtime, w.mtime))
}

// others changes the remote behind the back of the mirror.
func (w *world) others() {
	name := w.name()
	switch op := rapid.SampledFrom([]string{"write", "mkdir", "remove", "rename", "link"}).Draw(w.T, "op"); op {
	case "write":
		if fi, err := w.lstat(name); err == nil && !fi.Mode().IsRegular() {
			return
		}
		content := strings.Repeat(fmt.Sprint(w.mtime.Unix()), rapid.IntRange(0, 3).Draw(w.T, "length"))
		if afero.WriteFile(w.remote, "/"+name, []byte(content), 0o644) == nil {
			w.stamp(name)
		}
	case "mkdir":
		_ = w.remote.Mkdir("/"+name, 0o755)
	case "remove":
		_ = w.remote.RemoveAll("/" + name)
	case "rename":
		_ = w.remote.Rename("/"+name, "/"+w.name())
	default:
		_ = w.remote.(afero.Linker).SymlinkIfPossible(rapid.SampledFrom([]string{"a", "/d", "..", "e/a", "none", "l"}).
			Draw(w.T, "target"), "/"+name)
	}
}

func (w *world) lstat(name string) (fs.FileInfo, error) {
	fi, _, err := w.remote.(afero.Lstater).LstatIfPossible("/" + name)
	return fi, err
}

// same requires that the mirror answers as the remote does. What an answer is, describe says.
func (w *world) same(what string, got any, err error, want any, wantErr error) {
	w.Helper()
	require.Equal(w, wantErr == nil, err == nil, "%s: %v, not %v", what, err, wantErr)
	if err != nil {
		// Below a directory that others have replaced by a file, the mirror says that nothing is there.
		require.Equal(w, localdir.Missing(wantErr), localdir.Missing(err), "%s: %v, not %v", what, err, wantErr)
		return
	}
	require.Equal(w, want, got, what)
}

func describe(fi fs.FileInfo, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	size, mtime := fi.Size(), fi.ModTime().UnixNano()
	if !fi.Mode().IsRegular() {
		size, mtime = 0, 0 // what the times of directories are is not what this is about
	}
	return fmt.Sprint(fi.Mode(), size, mtime), nil
}

// look makes one call that changes nothing.
func (w *world) look() {
	name := w.name()
	op := rapid.SampledFrom([]string{"stat", "lstat", "readlink", "read", "list", "status", "fetch"}).Draw(w.T, "look")
	switch op {
	case "stat":
		got, err := describe(w.m.Stat("/"+name, true))
		want, wantErr := describe(w.remote.Stat("/" + name))
		w.same(op, got, err, want, wantErr)
	case "lstat":
		got, err := describe(w.m.Stat(name, false))
		want, wantErr := describe(w.lstat(name))
		w.same(op, got, err, want, wantErr)
	case "readlink":
		got, err := w.m.Readlink(name)
		want, wantErr := w.remote.(afero.LinkReader).ReadlinkIfPossible("/" + name)
		w.same(op, got, err, want, wantErr)
	case "read":
		got, err := readAll(w.m, name)
		want, wantErr := afero.ReadFile(w.remote, "/"+name)
		w.same(op, string(got), err, string(want), wantErr)
	case "list":
		got, err := names(w.m.OpenRead(name))
		want, wantErr := names(w.remote.Open("/" + name))
		w.same(op, got, err, want, wantErr)
	case "status":
		s, err := w.m.Status(name)
		fi, wantErr := w.remote.Stat("/" + name)
		switch {
		case wantErr != nil && err == nil:
			require.Equal(w, Absent, s.State, name)
		case err == nil && fi.Mode().IsRegular():
			require.Equal(w, fi.Size(), s.Size, name)
			require.Contains(w, []State{RemoteOnly, Arriving, Owned}, s.State)
		}
	case "fetch":
		_, wantErr := afero.ReadFile(w.remote, "/"+name)
		err := w.m.Fetch(name)
		if errors.Is(err, download.ErrNoRoom) && w.options.MaxBytes > 0 {
			return
		}
		require.Equal(w, wantErr == nil, err == nil, "%v, not %v", err, wantErr)
	}
}

func readAll(m *FS, name string) ([]byte, error) {
	f, err := m.OpenRead(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

func names(f afero.File, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer f.Close()
	infos, err := f.Readdir(-1)
	var all []string
	for _, fi := range infos {
		if fi.Mode().IsRegular() {
			all = append(all, fmt.Sprint(fi.Name(), fi.Mode(), fi.Size()))
		} else {
			all = append(all, fmt.Sprint(fi.Name(), fi.Mode().Type()))
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", "), err
}

// through changes the remote and has the mirror follow, as cachefs does.
func (w *world) through() {
	name := w.name()
	op := rapid.SampledFrom([]string{"write", "remove", "rename", "mkdir", "doubt"}).Draw(w.T, "through")
	switch op {
	case "write":
		if fi, err := w.lstat(name); err != nil || !fi.Mode().IsRegular() {
			return
		}
		f, err := w.m.WriteThrough(w.clean(name), name, os.O_WRONLY|os.O_TRUNC, 0o644)
		require.NoError(w, err)
		got, err := readAll(w.m, name)
		require.NoError(w, err)
		require.Empty(w, got, "while it is written it is read on the remote")
		_, err = f.WriteString(fmt.Sprint("through", w.mtime.Unix()))
		require.NoError(w, err)
		require.NoError(w, f.Close())
		require.NoError(w, w.m.Alter(func() error { w.stamp(name); return nil }, w.clean(name)))
	case "remove":
		clean := w.clean(name)
		if w.m.Quiesce(func() error { return w.remote.RemoveAll("/" + clean) }, clean) != nil {
			return
		}
		require.NoError(w, w.m.Do(func(v *View) error { v.Forget(clean); return nil }))
	case "rename":
		from, to := w.clean(name), w.clean(w.name())
		if err := w.m.Quiesce(func() error { return w.remote.Rename("/"+from, "/"+to) }, from, to); err != nil || from == to {
			return
		}
		require.NoError(w, w.m.Do(func(v *View) error { return v.Renamed(from, to) }))
	case "mkdir":
		_ = w.m.Quiesce(func() error { return w.remote.Mkdir("/"+name, 0o755) })
		require.NoError(w, w.m.Do(func(v *View) error { v.RemoteChanged(); return nil }))
	case "doubt":
		require.NoError(w, w.m.Invalidate(name))
	}
}

// clean is where a name leads to, but for a link at its end.
func (w *world) clean(name string) string {
	clean := name
	_ = w.m.Do(func(v *View) error {
		p, err := v.Find(name, false)
		if err == nil {
			clean = p.Path()
		}
		return err
	})
	return clean
}

// cache changes what is here.
func (w *world) cache() {
	name := w.name()
	op := rapid.SampledFrom([]string{"pull", "evict", "pin", "unpin", "restart", "delete by hand", "open", "close"}).Draw(w.T, "cache")
	switch op {
	case "pull":
		_, _ = w.m.Pull(rapid.SampledFrom([]string{".", "d", "d/e"}).Draw(w.T, "dir"))
	case "evict":
		_ = w.m.Evict(name)
	case "pin":
		_ = w.m.Pin(name)
	case "unpin":
		_ = w.m.Unpin(name)
	case "restart":
		w.close()
		w.open()
	case "delete by hand":
		_ = w.local.RemoveAll("/" + name)
	case "open":
		if f, err := w.m.OpenRead(name); err == nil && w.dirs[name] == nil {
			w.dirs[name] = f
			_, err := f.Stat()
			require.NoError(w, err)
		} else if err == nil {
			require.NoError(w, f.Close())
		}
	case "close":
		if f := w.dirs[name]; f != nil {
			delete(w.dirs, name)
			require.NoError(w, f.Close())
		}
	}
}

// Whatever others, the program and the user do, the program sees what the remote has.
func TestViewFollowsTheRemote(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp(root, "")
		require.NoError(t, err)
		w := &world{T: t, remote: aferotest.OS(dir), local: crashfs.New(nil), mtime: time.Unix(1e9, 0),
			options: Options{Revalidate: Always, ListTTL: -1}, dirs: map[string]afero.File{}}
		w.options.MaxBytes = rapid.SampledFrom([]int64{0, 20}).Draw(t, "bound")
		w.open()
		defer w.close()
		t.Repeat(map[string]func(*rapid.T){
			"others":  func(t *rapid.T) { w.T = t; w.others() },
			"look":    func(t *rapid.T) { w.T = t; w.look() },
			"look 2":  func(t *rapid.T) { w.T = t; w.look() },
			"through": func(t *rapid.T) { w.T = t; w.through() },
			"cache":   func(t *rapid.T) { w.T = t; w.cache() },
		})
		w.T = t
		infos, err := afero.ReadDir(w.remote, "/")
		require.NoError(t, err)
		got, err := names(w.m.OpenRead("/"))
		require.NoError(t, err)
		require.Equal(t, len(infos), len(strings.FieldsFunc(got, func(r rune) bool { return r == ',' })), got)
	})
}
