package syncfs

import (
	"context"
	"errors"
	"io/fs"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// keepsTimes is a remote whose files keep their times when they are renamed.
type keepsTimes struct{ *faultfs.Fs }

func (keepsTimes) KeepsTimes() bool { return true }

// What a push of one change asks of a remote that keeps times; any other is asked once more after a rename. On a line with a long round trip that is what it costs; of a put the
// close and the times go together, and so do the two looks.
func TestPushAsksLittle(t *testing.T) {
	t.Parallel()
	put := map[faultfs.Kind]int{faultfs.Open: 1, faultfs.Write: 1, faultfs.Close: 1, faultfs.Chtimes: 1,
		faultfs.Lstat: 2, faultfs.Rename: 1}
	for name, c := range map[string]struct {
		change func(r *rig)
		want   map[faultfs.Kind]int
	}{
		"new file": {func(r *rig) { r.write("d/new") }, put},
		"edit":     {func(r *rig) { r.append("d/f", "+") }, put},
		"rename":   {func(r *rig) { require.NoError(r, r.fs.Rename("d/f", "d/g")) }, map[faultfs.Kind]int{faultfs.Lstat: 2, faultfs.Rename: 1}},
		"remove":   {func(r *rig) { require.NoError(r, r.fs.Remove("d/f")) }, map[faultfs.Kind]int{faultfs.Lstat: 1, faultfs.Remove: 1}},
		"directories": {func(r *rig) { require.NoError(r, r.fs.MkdirAll("n/e/w", 0o755)) },
			map[faultfs.Kind]int{faultfs.Stat: 3, faultfs.Mkdir: 3}}, // a look after each
		"copy touched": {func(r *rig) { r.restart(); r.fetch("d/f") }, map[faultfs.Kind]int{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.close()
			r.fs = newFs(t, keepsTimes{faultfs.New(coarse{r.remote}, r.plan)}, r.local, nil)
			r.serve("d/f")
			long := time.Now().Add(-48 * time.Hour) // ago: its version is beyond doubt, however wrong the clock
			require.NoError(t, r.remote.Chtimes("d/f", long, long))
			r.fetch("d/f")
			c.change(r)
			total, before := r.plan.Total(), map[faultfs.Kind]int{}
			for kind := range put {
				before[kind] = r.plan.Count(kind)
			}
			_, err := r.push()
			require.NoError(t, err)
			sum := 0
			for kind, n := range c.want {
				require.Equal(t, n, r.plan.Count(kind)-before[kind], kind)
				sum += n
			}
			require.Equal(t, sum, r.plan.Total()-total)
		})
	}
}

// replaces is a remote that has another way to rename files, and wants to know how much is to come.
type replaces struct {
	afero.Fs
	files    []string
	expected []int
}

func (r *replaces) Expect(calls int) { r.expected = append(r.expected, calls) }

func (r *replaces) WithContext(context.Context) afero.Fs { return r }

func (r *replaces) ReplaceFile(oldname, newname string) error {
	r.files = append(r.files, newname)
	return r.Fs.Rename(oldname, newname)
}

func (r *replaces) Rename(oldname, newname string) error {
	if fi, err := r.Stat(oldname); err == nil && !fi.IsDir() {
		return errors.New("not to be used for a file that is published")
	}
	return r.Fs.Rename(oldname, newname)
}

// A remote that can do more than an afero.Fs is asked to.
func TestPushUsesWhatTheRemoteCanDo(t *testing.T) {
	t.Parallel()
	remote := &replaces{Fs: aferotest.OS(t.TempDir())}
	require.NoError(t, remote.MkdirAll("d", 0o755))
	s, err := New(remote, realDir(t), nil)
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, afero.WriteFile(s, "f", []byte("new"), 0o644))
	require.NoError(t, s.Rename("d", "e"))
	_, err = s.Push(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"/f"}, remote.files)
	require.Equal(t, 2, remote.expected[0])
	text, err := afero.ReadFile(remote, "f")
	require.NoError(t, err)
	require.Equal(t, "new", string(text))
	isDir, err := afero.IsDir(remote, "e")
	require.NoError(t, err)
	require.True(t, isDir)
}

// connects is a remote that is told when to connect.
type connects struct {
	afero.Fs
	asked chan struct{} // one for each time
}

func (r *connects) Connect(ctx context.Context) error {
	r.asked <- struct{}{}
	<-ctx.Done()
	return ctx.Err()
}

// Push has the remote connect while it makes its plan, if there is something that it can push.
func TestPushConnectsEarly(t *testing.T) {
	t.Parallel()
	remote := &connects{Fs: aferotest.OS(t.TempDir()), asked: make(chan struct{}, 1)}
	s, err := New(remote, realDir(t), nil)
	require.NoError(t, err)
	defer s.Close() // ends Connect
	_, err = s.Push(t.Context())
	require.NoError(t, err)
	f, err := s.Create("f")
	require.NoError(t, err)
	_, err = s.Push(t.Context())
	require.ErrorIs(t, err, ErrBusy)
	require.Empty(t, remote.asked)

	require.NoError(t, f.Close())
	ctx, cancel := context.WithCancel(t.Context())
	_, err = s.Push(ctx)
	require.NoError(t, err)
	<-remote.asked
	cancel()
	require.NoError(t, afero.WriteFile(s, "g", nil, 0o644))
	_, err = s.Push(t.Context())
	require.NoError(t, err)
	<-remote.asked // at Close it still connects
}

type refusesSync struct{ err error }

func (r refusesSync) Sync() error { return r.err }

// What was sent is synced through the handle that it was read from, and only where that may not be, through another one:
// that would not hear of an error of the disk a second time.
func TestLocalFileIsSyncedWhereItIsOpen(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	require.NoError(t, afero.WriteFile(r.local, "f", nil, 0o644))
	require.NoError(t, r.fs.lasting(refusesSync{}, "missing"))
	require.ErrorIs(t, r.fs.lasting(refusesSync{syscall.EIO}, "f"), syscall.EIO)
	require.NoError(t, r.fs.lasting(refusesSync{fs.ErrPermission}, "f"))
	require.ErrorIs(t, r.fs.lasting(refusesSync{fs.ErrPermission}, "missing"), fs.ErrNotExist)
}
