package syncfs

import (
	"io"
	"io/fs"
	"os"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

// A handle is bound to the file, whatever becomes of its name, and whatever is pushed meanwhile.
func TestHandles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		do   func(r *rig)
		want []string // on the remote after the handle has written "more" and was closed
	}{
		{"renamed", func(r *rig) { require.NoError(r, r.fs.Rename("d/x", "n")) }, []string{"d/", "n:d/xmore"}},
		{"renamed with its directory", func(r *rig) { require.NoError(r, r.fs.Rename("d", "e")) }, []string{"e/", "e/x:d/xmore"}},
		{"removed", func(r *rig) { require.NoError(r, r.fs.Remove("d/x")) }, []string{"d/"}},
		{"removed with its directory", func(r *rig) { require.NoError(r, r.fs.RemoveAll("d")) }, nil},
		{"replaced by a new file", func(r *rig) {
			require.NoError(r, r.fs.Remove("d/x"))
			r.write("d/x:new")
		}, []string{"d/", "d/x:new"}},
		{"replaced by a rename", func(r *rig) {
			r.write("d/y:new")
			require.NoError(r, r.fs.Rename("d/y", "d/x"))
		}, []string{"d/", "d/x:new"}},
		{"renamed, and replaced", func(r *rig) {
			require.NoError(r, r.fs.Rename("d/x", "n"))
			r.write("d/x:new")
		}, []string{"d/", "d/x:new", "n:d/xmore"}},
	} {
		for _, push := range []bool{false, true} {
			for _, wrote := range []bool{false, true} {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					r := newRig(t, nil)
					r.serve("d/x")
					f, err := r.fs.OpenFile("d/x", os.O_RDWR, 0)
					require.NoError(t, err)
					_, err = f.Seek(0, io.SeekEnd)
					require.NoError(t, err)
					if wrote {
						_, err = f.WriteString("more")
						require.NoError(t, err)
					}
					c.do(r)
					if push {
						_, err := r.push()
						if wrote && c.want != nil && len(c.want) > 0 && c.want[len(c.want)-1][0] != 'd' {
							require.ErrorIs(t, err, ErrBusy)
						}
					}
					if !wrote {
						_, err = f.WriteString("more")
						require.NoError(t, err)
					}
					b := make([]byte, 10)
					n, err := f.ReadAt(b, 0)
					require.ErrorIs(t, err, io.EOF)
					require.Equal(t, "d/xmore", string(b[:n]))
					info, err := f.Stat()
					require.NoError(t, err)
					require.EqualValues(t, 7, info.Size())
					require.NoError(t, f.Close())
					r.pushes()
					r.has(r.served(), c.want...)
				})
			}
		}
	}
}

// Readers of a file see what is written to it at once, and go on when it was pushed.
func TestHandlesShareBytes(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("x:one")
	reader, err := r.fs.Open("x")
	require.NoError(t, err)
	defer reader.Close()
	r.append("x", " two")
	r.pushes()
	r.append("x", " three")
	all, err := io.ReadAll(reader)
	require.NoError(t, err)
	require.Equal(t, "one two three", string(all))
	r.pushes()
}

// Two writers: the file is busy until both are done.
func TestTwoWriters(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	var files [2]afero.File
	for i := range files {
		f, err := r.fs.OpenFile("x", os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
		require.NoError(t, err)
		_, err = f.WriteString("line\n")
		require.NoError(t, err)
		files[i] = f
	}
	require.NoError(t, files[0].Close())
	r.fails(ErrBusy)
	require.NoError(t, files[1].Close())
	r.pushes()
	r.has(r.served(), "x:line\nline\n")
}

// Nothing works after Close, and what is queued is queued for the next Fs.
func TestClosed(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("x")
	r.append("x", "+")
	f, err := r.fs.OpenFile("x", os.O_RDWR, 0)
	require.NoError(t, err)
	require.NoError(t, r.fs.Close())
	require.NoError(t, r.fs.Close())
	_, err = f.WriteString("late")
	require.ErrorIs(t, err, fs.ErrClosed)
	require.NoError(t, f.Close())
	for name, err := range map[string]error{
		"open":    made(r.fs.Open("x")),
		"create":  made(r.fs.Create("n")),
		"mkdir":   r.fs.Mkdir("n", 0o755),
		"remove":  r.fs.Remove("x"),
		"rename":  r.fs.Rename("x", "n"),
		"chmod":   r.fs.Chmod("x", 0o600),
		"fetch":   r.fs.Fetch(t.Context(), "x"),
		"discard": r.fs.Discard(),
	} {
		require.ErrorIs(t, err, fs.ErrClosed, name)
	}
	_, err = r.push()
	require.ErrorIs(t, err, fs.ErrClosed)
	require.Empty(t, r.fs.Pending())
	r.start()
	r.queued("put x")
	r.pushes()
	r.has(r.served(), "x:x+")
}
