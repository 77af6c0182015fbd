package cachefs

import (
	"context"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// Close ends whatever call waits for the remote, and sends nothing more.
func TestCloseEndsCalls(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, call := range map[string]struct {
		at   faultfs.Kind
		call func(*Fs) error
	}{
		"Pull":    {faultfs.Read, func(c *Fs) error { return second(c.Pull(ctx, "/")) }},
		"Fetch":   {faultfs.Read, func(c *Fs) error { return c.Fetch(ctx, "f") }},
		"Stat":    {faultfs.Lstat, func(c *Fs) error { return second(c.Stat("f")) }},
		"Mkdir":   {faultfs.Mkdir, func(c *Fs) error { return c.Mkdir("dir", 0o755) }},
		"Remove":  {faultfs.Remove, func(c *Fs) error { return c.Remove("f") }},
		"Rename":  {faultfs.Rename, func(c *Fs) error { return c.Rename("f", "g") }},
		"Symlink": {faultfs.Symlink, func(c *Fs) error { return c.SymlinkIfPossible("f", "link") }},
		"Chmod":   {faultfs.Chmod, func(c *Fs) error { return c.Chmod("f", 0o600) }},
		"Create":  {faultfs.Open, func(c *Fs) error { return second(c.Create("new")) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			w.put("f", "content")
			arrived, release := w.blockAt(call.at)
			ended := make(chan error, 1)
			go func() { ended <- call.call(w.fs) }()
			<-arrived
			require.NoError(t, w.fs.Close())
			sent := w.line.Total()
			require.ErrorIs(t, <-ended, fs.ErrClosed)
			require.Equal(t, sent, w.line.Total(), "requests after Close")
			release()
			w.start()
		})
	}
}

func TestCloseFromProgress(t *testing.T) {
	t.Parallel()
	var w *world
	w = newWorld(t, Options{Progress: func(Progress) { require.NoError(t, w.fs.Close()) }})
	w.put("f", "content")
	require.NoError(t, w.fs.Fetch(context.Background(), "f"))
	require.ErrorIs(t, w.fs.Fetch(context.Background(), "f"), fs.ErrClosed)
}
