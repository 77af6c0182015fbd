package aferotest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestSometimes counts what the hook is promised: it runs in every sequence, at
// its end too, and both trees are equal then.
func TestSometimes(t *testing.T) {
	t.Parallel()
	made, ended, calls := 0, 0, 0
	differential(t, t, Subject{
		New: func(t testing.TB) afero.Fs {
			made++
			calls = 0
			t.Cleanup(func() {
				ended++
				require.Equal(t, made, ended, "a sequence is over before the next one")
				require.Positive(t, calls)
			})
			return OS(t.TempDir())
		},
		Sometimes: func(t rapid.TB, subject, oracle afero.Fs) {
			calls++
			got, err := Tree(subject)
			require.NoError(t, err)
			want, err := Tree(oracle)
			require.NoError(t, err)
			require.Empty(t, Diff(want, got))
		},
	})
	require.Positive(t, made)
	require.Equal(t, made, ended)
}

// TestSometimesCanFail has the hook refuse.
func TestSometimesCanFail(t *testing.T) {
	t.Parallel()
	r := record(func(r *recorder) {
		differential(r, t, Subject{
			New:       oracle.New,
			Sometimes: func(t rapid.TB, _, _ afero.Fs) { t.Fatalf("refused") },
		})
	})
	require.True(t, r.failed)
}

// TestIncapableIsLeftOut runs an Fs that does nothing of what it is declared
// incapable of, and fails if it is asked to.
func TestIncapableIsLeftOut(t *testing.T) {
	t.Parallel()
	refuse := errors.New("asked for what it can't do")
	Differential(t, Subject{
		New: func(t testing.TB) afero.Fs {
			return altered{
				osFs: osFs{root: t.TempDir()},
				rename: func(o osFs, oldname, newname string) error {
					if _, err := lstat(o, newname); err == nil {
						return refuse
					}
					return o.Rename(oldname, newname)
				},
				open: func(o osFs, name string, flag int, perm fs.FileMode) (afero.File, error) {
					if flag&(os.O_EXCL|os.O_APPEND) != 0 {
						return nil, refuse
					}
					return o.OpenFile(name, flag, perm)
				},
			}
		},
		Incapable: map[Capability]string{AtomicReplace: "", ExclusiveCreate: "", AtomicAppend: "", OpenRenamed: "", OpenRemoved: "", Chmod: "", Links: "", Chtimes: ""},
	})
}

func TestErrorsThatMayStandForEachOther(t *testing.T) {
	t.Parallel()
	plain := errors.New("failed")
	for _, e := range []struct {
		want, got error
		same      bool
	}{
		{nil, nil, true},
		{nil, plain, false},
		{plain, nil, false},
		{io.EOF, nil, false},
		{io.EOF, io.EOF, true},
		{fs.ErrNotExist, syscall.ENOENT, true},
		{fs.ErrNotExist, plain, false},
		{fs.ErrNotExist, syscall.ENOTDIR, false},
		{fs.ErrExist, syscall.EEXIST, true},
		{fs.ErrExist, plain, false},
		{fs.ErrClosed, plain, false},
		{fs.ErrPermission, plain, false},
		{syscall.ENOTEMPTY, plain, true},
		{syscall.ENOTEMPTY, fs.ErrExist, true},
		{syscall.ENOTEMPTY, fs.ErrNotExist, false},
		{syscall.EISDIR, plain, true},
		{syscall.EISDIR, fs.ErrInvalid, true},
		{syscall.EISDIR, fs.ErrNotExist, false},
		{syscall.EISDIR, nil, false},
		{syscall.ENOTDIR, fs.ErrNotExist, false},
		{syscall.EINVAL, syscall.ENOTDIR, true},
		{syscall.EBADF, fs.ErrPermission, true},
		{syscall.EBADF, fs.ErrClosed, false},
		{syscall.EBADF, io.EOF, false},
	} {
		want, got := classOf(e.want), classOf(fmt.Errorf("wrapped: %w", e.got))
		if e.got == nil {
			got = none
		}
		require.Equal(t, e.same, instead(got, want), "%v instead of %v", e.got, e.want)
	}
	through := pair{Subject: Subject{Incapable: map[Capability]string{NotDirErrors: ""}}}
	require.True(t, through.sameError(fs.ErrNotExist, syscall.ENOTDIR))
	require.False(t, through.sameError(fs.ErrNotExist, syscall.EISDIR))
}
