package syncfs

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

func leaves(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

// served requires that the remote is what the model is, except for what is not in the queue, and has no file of the
// library's own.
func (r *faulty) served() {
	r.Helper()
	want, err := aferotest.Tree(r.model)
	require.NoError(r, err)
	got, err := aferotest.Tree(r.remote)
	require.NoError(r, err)
	for name := range r.unsaid {
		delete(want, name[1:])
		delete(got, name[1:])
	}
	require.Empty(r, aferotest.Diff(want, got), "the remote after a push")
}

// end requires that nothing is lost and nothing is left: now, after a restart, and after a push.
func (r *faulty) end() {
	r.Helper()
	r.plan.Heal()
	r.sticky = false
	r.counted("the last call")
	r.mended()
	r.viewed("at the end")
	r.counted("a look at everything")
	require.NoError(r, closed(r.fs.Close(), r.failed))
	closesAll(r, r.plan)
	r.start()
	r.viewed("after a restart")
	r.complete()
	r.watch.begin(r.T, r.model)
	_, err := r.fs.Push(context.Background())
	require.NoError(r, err)
	r.watch.check(r.T)
	require.Empty(r, r.fs.Pending())
	r.served()
	r.viewed("after the last push")
	r.counted("the last push")
	r.changeable()
	require.NoError(r, r.fs.Close())
	closesAll(r, r.plan)
	for _, dir := range []string{localdir.TmpDir, localdir.TrashDir} {
		left, err := afero.ReadDir(r.local, dir)
		require.NoError(r, err)
		require.Empty(r, left, dir)
	}
}

// changeable requires that each file can be changed and pushed again: the Fs knows which version the remote has.
func (r *faulty) changeable() {
	r.Helper()
	files, err := aferotest.Tree(r.model)
	require.NoError(r, err)
	for name, e := range files {
		if e.Type != 0 {
			continue
		}
		for _, fsys := range []afero.Fs{r.fs, r.model} {
			f, err := fsys.OpenFile("/"+name, os.O_WRONLY|os.O_APPEND, 0)
			require.NoError(r, err)
			_, err = f.WriteString("changed")
			require.NoError(r, errors.Join(err, f.Close()))
		}
	}
	_, err = r.fs.Push(context.Background())
	require.NoError(r, err)
	r.served()
}

// complete says of what a failed call has left half written, or not queued, that it is to be pushed.
func (r *faulty) complete() {
	r.Helper()
	names := r.unsaid
	if len(names) > 0 {
		r.unsaid = map[string]bool{}
		for name := range interrupted(r.T, r.fs) {
			names["/"+name] = true
		}
	}
	for name := range names {
		if fi, err := r.local.Stat(name); err == nil && fi.Mode().IsRegular() {
			require.NoError(r, r.fs.Add(name))
			r.watch.queued(name)
		}
	}
}

// closed lets a log that a fault has broken say so once more.
func closed(err error, failed bool) error {
	if failed && errors.Is(err, faultfs.ErrInjected) {
		return nil
	}
	return err
}

func (r *faulty) viewed(when string) {
	r.Helper()
	want, err := aferotest.Tree(r.model)
	require.NoError(r, err)
	got, err := aferotest.Tree(r.fs)
	require.NoError(r, err, when)
	require.Empty(r, aferotest.Diff(want, got), "the view "+when)
	r.unseen = false
}
