package lateremote_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/lateremote"
	"github.com/sftpsyncer/go-syncfs/internal/remotetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// calls are all that change something, on "f", "g" and the directory "d".
var calls = []struct {
	kind  lateremote.Kind
	quick bool // only with short cuts
	call  func(afero.Fs) error
}{
	{lateremote.Create, false, func(f afero.Fs) error { return open(f, "new", os.O_RDWR|os.O_CREATE) }},
	{lateremote.Create, false, func(f afero.Fs) error { return open(f, "f", os.O_WRONLY|os.O_TRUNC) }},
	{lateremote.Mkdir, false, func(f afero.Fs) error { return f.Mkdir("new", 0o700) }},
	{lateremote.MkdirAll, false, func(f afero.Fs) error { return f.MkdirAll("new/new", 0o700) }},
	{lateremote.Remove, false, func(f afero.Fs) error { return f.Remove("f") }},
	{lateremote.RemoveAll, false, func(f afero.Fs) error { return f.RemoveAll("d") }},
	{lateremote.Rename, false, func(f afero.Fs) error { return f.Rename("f", "g") }},
	{lateremote.Symlink, false, func(f afero.Fs) error { return f.(afero.Linker).SymlinkIfPossible("f", "new") }},
	{lateremote.Chmod, false, func(f afero.Fs) error { return f.Chmod("f", 0o600) }},
	{lateremote.Chtimes, false, func(f afero.Fs) error { return f.Chtimes("f", time.Unix(1, 0), time.Unix(1, 0)) }},
	{lateremote.Write, false, func(f afero.Fs) error {
		return onFile(f, func(f afero.File) error {
			p := []byte("text")
			_, err := f.Write(p)
			copy(p, "XXXX") // which is the caller's again
			return err
		})
	}},
	{lateremote.Write, false, func(f afero.Fs) error {
		return onFile(f, func(f afero.File) error { _, err := f.WriteAt([]byte("text"), 2); return err })
	}},
	{lateremote.Write, false, func(f afero.Fs) error {
		return onFile(f, func(f afero.File) error { _, err := f.WriteString("text"); return err })
	}},
	{lateremote.Truncate, false, func(f afero.Fs) error {
		return onFile(f, func(f afero.File) error { return f.Truncate(1) })
	}},
	{lateremote.ReplaceFile, true, func(f afero.Fs) error {
		return f.(interface{ ReplaceFile(string, string) error }).ReplaceFile("f", "g")
	}},
	{lateremote.MakeDir, true, func(f afero.Fs) error {
		_, err := f.(lateremote.Base).MakeDir("new", 0o700)
		return err
	}},
	{lateremote.Stage, true, func(f afero.Fs) error {
		_, _, err := f.(lateremote.Base).Stage("new", []byte("text"), 0o600, time.Unix(1, 0), time.Unix(1, 0), "g")
		return err
	}},
}

func open(fsys afero.Fs, name string, flag int) error {
	f, err := fsys.OpenFile(name, flag, 0o600)
	if err == nil {
		err = f.Close()
	}
	return err
}

func onFile(fsys afero.Fs, do func(afero.File) error) error {
	f, err := fsys.OpenFile("f", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(do(f), f.Close())
}

// world is a base with something in it, and an Fs over that.
func world(t *testing.T, quick bool) (fsys, base afero.Fs, line *lateremote.Line) {
	base, line = aferotest.OS(t.TempDir()), new(lateremote.Line)
	require.NoError(t, base.Mkdir("d", 0o755))
	for _, name := range []string{"f", "g", "d/in"} {
		require.NoError(t, afero.WriteFile(base, name, []byte("content of "+name), 0o644))
	}
	if quick {
		return lateremote.Quick(remotetest.Quick(base).(lateremote.Base), line), base, line
	}
	return lateremote.New(base, line), base, line
}

func tree(t *testing.T, fsys afero.Fs) map[string]aferotest.Entry {
	all, err := aferotest.Tree(fsys)
	require.NoError(t, err)
	for name, e := range all { // Diff leaves times out
		if e.ModTime.Equal(time.Unix(1, 0)) {
			e.Content += " with the time set"
		}
		all[name] = e
	}
	return all
}

// each tells a test for each call that changes something, with and without short cuts.
func each(t *testing.T, test func(t *testing.T, c int, quick bool)) {
	for i, c := range calls {
		for _, quick := range []bool{false, true} {
			if quick || !c.quick {
				name := string(c.kind) + map[bool]string{true: ", quick"}[quick]
				t.Run(name, func(t *testing.T) { test(t, i, quick) })
			}
		}
	}
}

// A call whose answer is lost has no effect until it is delivered, and then all of it.
func TestHold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, i int, quick bool) {
		c := calls[i]
		_, want, _ := world(t, quick)
		wanted := want
		if c.quick {
			wanted = remotetest.Quick(want)
			if c.kind == lateremote.ReplaceFile {
				require.NoError(t, want.Rename("f", "g"))
			}
		}
		if c.kind != lateremote.ReplaceFile {
			require.NoError(t, c.call(wanted))
		}
		fsys, base, line := world(t, quick)
		before := tree(t, base)
		line.HoldChange(0)
		err := c.call(fsys)
		require.ErrorIs(t, err, lateremote.ErrLost)
		for _, answer := range []error{fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrClosed, context.Canceled} {
			require.NotErrorIs(t, err, answer)
		}
		require.Empty(t, aferotest.Diff(before, tree(t, base)))
		held := line.Held()
		require.Len(t, held, 1)
		require.Equal(t, c.kind, held[0].Kind)
		require.NoError(t, line.Deliver(0))
		require.Empty(t, line.Held())
		require.Empty(t, aferotest.Diff(tree(t, want), tree(t, base)))
	})
}

// A call whose context ends returns then; what it has sent is executed when it is delivered. One without a context waits
// for that.
func TestWait(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, i int, quick bool) {
		synctest.Test(t, func(t *testing.T) {
			fsys, base, line := world(t, quick)
			before := tree(t, base)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			line.Decide(func(op lateremote.Op) lateremote.Fate {
				if op.Change == 0 {
					return lateremote.Wait
				}
				return lateremote.Pass
			})
			if quick {
				fsys = fsys.(interface {
					WithContext(context.Context) afero.Fs
				}).WithContext(ctx)
			}
			result := make(chan error)
			go func() { result <- calls[i].call(fsys) }()
			synctest.Wait()
			require.Len(t, line.Held(), 1)
			require.Empty(t, aferotest.Diff(before, tree(t, base)))
			if quick {
				cancel()
				require.ErrorIs(t, <-result, context.Canceled)
				require.Empty(t, aferotest.Diff(before, tree(t, base)))
			}
			require.NoError(t, line.Deliver(0))
			if !quick {
				require.NoError(t, <-result)
			}
			require.NotEmpty(t, aferotest.Diff(before, tree(t, base)))
		})
	})
}

// Operations that read are never held, and fail without an effect.
func TestLooksAreLost(t *testing.T) {
	t.Parallel()
	fsys, _, line := world(t, false)
	line.Decide(func(lateremote.Op) lateremote.Fate { return lateremote.Hold })
	_, err := fsys.Stat("f")
	require.ErrorIs(t, err, lateremote.ErrLost)
	_, err = fsys.Open("f")
	require.ErrorIs(t, err, lateremote.ErrLost)
	require.Empty(t, line.Held())
	require.Equal(t, 2, line.Total())
	require.Zero(t, line.Changes())
}

// Once an operation on a file was held, the file is lost; it is closed when that was delivered.
func TestFileIsLost(t *testing.T) {
	t.Parallel()
	for _, change := range []int{1, 2} { // the write, the close
		fsys, base, line := world(t, false)
		line.HoldChange(change)
		f, err := fsys.Create("new")
		require.NoError(t, err)
		_, err = f.WriteString("text")
		require.Equal(t, change == 1, errors.Is(err, lateremote.ErrLost))
		require.ErrorIs(t, f.Close(), lateremote.ErrLost)
		_, err = f.Stat()
		require.ErrorIs(t, err, lateremote.ErrLost)
		_, err = f.WriteString("more")
		require.ErrorIs(t, err, lateremote.ErrLost)
		require.Equal(t, 1, line.DeliverAll())
		text, err := afero.ReadFile(base, "new")
		require.NoError(t, err)
		require.Equal(t, "text", string(text))
	}
}

// Requests may be delivered in any order, also by the decision about a later one.
func TestDeliver(t *testing.T) {
	t.Parallel()
	fsys, base, line := world(t, false)
	line.Decide(func(lateremote.Op) lateremote.Fate { return lateremote.Hold })
	for _, perm := range []fs.FileMode{0o600, 0o640, 0o644} {
		require.ErrorIs(t, fsys.Chmod("f", perm), lateremote.ErrLost)
	}
	require.NoError(t, line.Deliver(1))
	line.Decide(func(op lateremote.Op) lateremote.Fate {
		require.NoError(t, line.Deliver(1))
		return lateremote.Pass
	})
	fi, err := fsys.Stat("f")
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o644), fi.Mode())
	line.Decide(nil)
	require.Equal(t, 1, line.DeliverAll())
	fi, err = base.Stat("f")
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), fi.Mode())
	require.Error(t, fsys.Remove("missing"))
}

// A context that ends at an operation ends the calls from there on.
func TestCancelAt(t *testing.T) {
	t.Parallel()
	fsys, base, line := world(t, true)
	ctx, cancel := context.WithCancel(t.Context())
	bound := fsys.(interface {
		WithContext(context.Context) afero.Fs
	}).WithContext(ctx)
	line.CancelAt(2, cancel)
	f, err := bound.Create("new")
	require.NoError(t, err)
	_, err = f.WriteString("text")
	require.NoError(t, err)
	_, err = bound.Stat("new")
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, bound.Remove("f"), context.Canceled)
	require.ErrorIs(t, f.Close(), context.Canceled)
	require.Empty(t, line.Held())
	require.Equal(t, 3, line.Total())
	_, err = base.Stat("f")
	require.NoError(t, err)
}

// What passes is the base.
func TestConformance(t *testing.T) {
	for _, quick := range []bool{false, true} {
		aferotest.Run(t, aferotest.Subject{
			New: func(t testing.TB) afero.Fs {
				base, line := aferotest.OS(t.TempDir()), new(lateremote.Line)
				if quick {
					return lateremote.Quick(remotetest.Quick(base).(lateremote.Base), line)
				}
				return lateremote.New(base, line)
			},
			Incapable: map[aferotest.Capability]string{aferotest.FullFiles: "each operation is to be held"},
		})
	}
}
