package syncfs

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// This file has the calls that a story is told with.

func (r *faulty) mkdir(name string) {
	r.Helper()
	r.call("mkdir "+name, func(f afero.Fs) error { return f.Mkdir(name, 0o755) })
}

func (r *faulty) mkdirAll(name string) {
	r.Helper()
	// Each directory by itself, since those above may have been made before one failed.
	for i := 1; i <= len(name); i++ {
		if i == len(name) || name[i] == '/' {
			r.call("mkdirall "+name[:i], func(f afero.Fs) error { return f.MkdirAll(name[:i], 0o755) })
		}
	}
}

func (r *faulty) remove(name string) {
	r.Helper()
	r.call("remove "+name, func(f afero.Fs) error { return f.Remove(name) })
}

func (r *faulty) removeAll(name string) {
	r.Helper()
	r.call("removeall "+name, func(f afero.Fs) error { return f.RemoveAll(name) })
}

func (r *faulty) rename(from, to string) {
	r.Helper()
	r.call("rename "+from+" "+to, func(f afero.Fs) error { return f.Rename(from, to) })
	if r.unsaid[from] {
		r.unsaid[to] = true
	}
}

func (r *faulty) chmod(name string, mode fs.FileMode) {
	r.Helper()
	r.call("chmod "+name, func(f afero.Fs) error { return f.Chmod(name, mode) })
}

func (r *faulty) chtimes(name string, to time.Time) {
	r.Helper()
	r.call("chtimes "+name, func(f afero.Fs) error { return f.Chtimes(name, to, to) })
}

func (r *faulty) symlink(target, name string) {
	r.Helper()
	r.call("symlink "+name, func(f afero.Fs) error { return f.(afero.Linker).SymlinkIfPossible(target, name) })
}

// write opens, writes, syncs and closes a file.
func (r *faulty) write(name string, flag int, off int64, text string) {
	r.Helper()
	var file afero.File
	r.call("open "+name, func(fsys afero.Fs) error {
		f, err := fsys.OpenFile(name, os.O_RDWR|flag, 0o644)
		if err != nil {
			return err
		}
		if fsys == afero.Fs(r.fs) {
			file = f
			return nil
		}
		return f.Close()
	})
	if file == nil {
		if fi, err := r.model.Stat(name); err == nil && fi.Mode().IsRegular() && r.failed {
			r.unsaid[name] = true // it may have been made, or emptied
		}
		return
	}
	n, err := file.WriteAt([]byte(text), off)
	if err != nil {
		r.isFault("write "+name, err)
		r.unsaid[name] = true
	}
	model, modelErr := r.model.OpenFile(name, os.O_RDWR, 0)
	require.NoError(r, modelErr)
	_, modelErr = model.WriteAt([]byte(text[:n]), off)
	require.NoError(r, modelErr)
	require.NoError(r, model.Close())
	for _, end := range []func() error{file.Sync, file.Close} {
		if err := end(); err != nil {
			r.isFault("sync or close "+name, err)
			r.unsaid[name] = true
		}
	}
}

func (r *faulty) create(name, text string) {
	r.Helper()
	r.write(name, os.O_CREATE|os.O_TRUNC, 0, text)
}

func (r *faulty) edit(name string, off int64, text string) { r.Helper(); r.write(name, 0, off, text) }

// add puts a file into the local directory and queues it.
func (r *faulty) add(name, text string) {
	r.Helper()
	require.NoError(r, afero.WriteFile(r.local, name, []byte(text), 0o644))
	require.NoError(r, afero.WriteFile(r.model, name, []byte(text), 0o644))
	r.watch.queued(name)
	if err := r.fs.Add(name); err != nil {
		r.isFault("add "+name, err)
		r.unsaid[name] = true
	}
}

func (r *faulty) read(name string) {
	r.Helper()
	want, wantErr := afero.ReadFile(r.model, name)
	got, err := afero.ReadFile(r.fs, name)
	switch {
	case err == nil:
		require.NoError(r, wantErr, "read "+name)
		require.Equal(r, string(want), string(got), "read "+name)
	case wantErr != nil && !errors.Is(err, faultfs.ErrInjected):
		require.Equal(r, errors.Is(wantErr, fs.ErrNotExist), errors.Is(err, fs.ErrNotExist), "%v, want %v", err, wantErr)
	default:
		r.isFault("read "+name, err)
	}
}

func (r *faulty) list(name string) {
	r.Helper()
	got, err := afero.ReadDir(r.fs, name)
	if err != nil && errors.Is(err, faultfs.ErrInjected) {
		r.isFault("list "+name, err)
		return
	}
	want, wantErr := afero.ReadDir(r.model, name)
	require.Equal(r, wantErr == nil, err == nil, "list %s: %v, want %v", name, err, wantErr)
	require.Len(r, got, len(want), "list "+name)
	for i, fi := range got {
		require.Equal(r, want[i].Name(), fi.Name(), "list "+name)
	}
}

// try makes a call that changes neither view nor remote.
func (r *faulty) try(what string, err error) {
	r.Helper()
	if err != nil && r.failed && !errors.Is(err, faultfs.ErrInjected) {
		return // as a consequence of what failed before
	}
	if err != nil {
		r.isFault(what, err)
	}
}

func (r *faulty) evict(name string) { r.Helper(); r.try("evict "+name, r.fs.m.Evict(name)) }

func (r *faulty) pull() {
	r.Helper()
	_, err := r.fs.Pull(context.Background(), "/")
	r.try("pull", err)
}

// push pushes. If no fault prevents that, the remote is what the model is.
func (r *faulty) push() {
	r.Helper()
	r.watch.begin(r.T, r.model)
	_, err := r.fs.Push(context.Background())
	r.watch.check(r.T)
	if err == nil {
		r.served()
		return
	}
	if errors.Is(err, ErrBusy) {
		require.NotEmpty(r, r.unsaid, "push: %v", err)
	}
	for _, e := range leaves(err) {
		if !errors.Is(e, ErrBusy) {
			r.isFault("push", e)
		}
	}
}
