package sftptest_test

import (
	"context"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// The codes are OpenSSH's, whatever the tree behind would do by itself.
func TestStatusCodes(t *testing.T) {
	t.Parallel()
	const noSuchFile, failure, badMessage, unsupported = 2, 4, 5, 8
	for name, opts := range map[string]*sftptest.Options{
		"in memory": nil, "MemMapFs": {Fs: afero.NewMemMapFs()},
		"on disk": {Fs: afero.NewBasePathFs(afero.NewOsFs(), t.TempDir())},
	} {
		c := channel(t, dial(t, start(t, opts)))
		f, err := c.Create("/f")
		require.NoError(t, err, name)
		require.NoError(t, f.Close(), name)
		require.NoError(t, c.Mkdir("/d"), name)
		require.NoError(t, c.Mkdir("/d/e"), name)

		long := make([]byte, 256)
		for i := range long {
			long[i] = 'n'
		}
		open := func(p string, flag int) error {
			f, err := c.OpenFile(p, flag)
			if err == nil {
				f.Close()
			}
			return err
		}
		for what, want := range map[string]struct {
			err  error
			code uint32
		}{
			"stat a missing file":            {second(c.Stat("/no")), noSuchFile},
			"stat below a file":              {second(c.Stat("/f/x")), noSuchFile},
			"open a missing file":            {open("/no", os.O_RDONLY), noSuchFile},
			"create without a parent":        {open("/no/f", os.O_WRONLY|os.O_CREATE), noSuchFile},
			"create over a directory":        {open("/d", os.O_WRONLY|os.O_CREATE), failure},
			"create exclusively what exists": {open("/f", os.O_WRONLY|os.O_CREATE|os.O_EXCL), failure},
			"create a long name":             {open("/"+string(long), os.O_WRONLY|os.O_CREATE), badMessage},
			"open a directory for writing":   {open("/d", os.O_WRONLY), failure},
			"mkdir without a parent":         {c.Mkdir("/no/d"), noSuchFile},
			"mkdir over a file":              {c.Mkdir("/f"), failure},
			"mkdir over a directory":         {c.Mkdir("/d"), failure},
			"rmdir of a file":                {c.RemoveDirectory("/f"), failure},
			"rmdir of a full directory":      {c.RemoveDirectory("/d"), failure},
			"rename over a file":             {c.Rename("/d/e", "/f"), failure},
			"rename a missing file":          {c.Rename("/no", "/x"), noSuchFile},
			"rename into itself":             {c.Rename("/d", "/d/e/d"), failure},
			"replace a directory by a file":  {c.PosixRename("/f", "/d/e"), failure},
			"replace a full directory":       {c.PosixRename("/d/e", "/d"), failure},
			"hard link":                      {c.Link("/f", "/g"), unsupported},
		} {
			if what == "rmdir of a file" {
				want.code = noSuchFile // ENOTDIR
			}
			require.Equal(t, want.code, code(want.err), "%s: %s: %v", name, what, want.err)
		}
		for _, p := range []string{"/f", "/d", "/d/e"} {
			_, err := c.Stat(p)
			require.NoError(t, err, "%s: %s", name, p)
		}
		require.NoError(t, c.Mkdir("/empty"), name)
		require.NoError(t, c.PosixRename("/d", "/empty"), name)
		_, err = c.Stat("/empty/e")
		require.NoError(t, err, name)
	}
}

func TestLogins(t *testing.T) {
	t.Parallel()
	s := start(t, &sftptest.Options{User: "me", Password: "right"})
	cfg := s.Config()
	require.Equal(t, "me", cfg.User)
	for _, c := range []struct {
		user, password string
		ok             bool
	}{{"me", "right", true}, {"me", "wrong", false}, {"you", "right", false}, {"me", "", false}} {
		cfg.User, cfg.Password = c.user, c.password
		fsys, err := sftpfs.New(cfg)
		require.NoError(t, err)
		err = fsys.Connect(context.Background())
		require.NoError(t, fsys.Close())
		if c.ok {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, sftpfs.ErrAuth)
		}
	}
}

func TestManyConnectionsAndChannels(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	var clients []*sftp.Client
	for range 4 {
		conn := dial(t, s)
		for range 4 {
			clients = append(clients, channel(t, conn))
		}
	}
	var wg sync.WaitGroup
	won := make(chan int, len(clients))
	for i, c := range clients {
		wg.Go(func() {
			f, err := c.OpenFile("/one", os.O_WRONLY|os.O_CREATE|os.O_EXCL)
			if err == nil {
				f.Close()
				won <- i
			}
		})
	}
	wg.Wait()
	require.Len(t, won, 1, "exclusive is exclusive")
}

func TestStopAndStart(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	addr := s.Addr()
	cfg := s.Config()
	fsys, err := sftpfs.New(cfg)
	require.NoError(t, err)
	defer fsys.Close()
	require.NoError(t, afero.WriteFile(fsys, "f", []byte("content"), 0o666))

	require.Error(t, s.Start(), "it runs")
	require.NoError(t, s.Stop())
	require.NoError(t, s.Stop())
	_, err = net.Dial("tcp", addr)
	require.Error(t, err)
	require.NoError(t, s.Start())
	require.Equal(t, addr, s.Addr())
	b, err := afero.ReadFile(fsys, "f")
	require.NoError(t, err, "the same key, the same tree")
	require.Equal(t, "content", string(b))

	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	require.ErrorIs(t, s.Start(), net.ErrClosed)
}

func TestAddr(t *testing.T) {
	t.Parallel()
	first := start(t, nil)
	_, err := sftptest.New(&sftptest.Options{Addr: first.Addr()})
	require.Error(t, err, "taken")
	require.NoError(t, first.Close())
	second := start(t, &sftptest.Options{Addr: first.Addr()})
	require.Equal(t, first.Addr(), second.Addr())
}

func TestFreezeAndThaw(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	c := channel(t, dial(t, s))
	s.Freeze()
	s.Freeze()
	made := make(chan error, 1)
	go func() { made <- c.Mkdir("/d") }()
	select {
	case err := <-made:
		t.Fatal("answered while frozen:", err)
	case <-time.After(20 * time.Millisecond):
	}
	s.Thaw()
	s.Thaw()
	require.NoError(t, <-made)
}

// Whatever the state of its clients, a server that is closed leaves nothing behind; the leak check of the package
// sees to the rest.
func TestCloseWhileFrozen(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	c := channel(t, dial(t, s))
	f, err := c.Create("/f")
	require.NoError(t, err)
	s.Freeze()
	written := make(chan error, 1)
	go func() {
		_, err := f.Write([]byte("x"))
		written <- err
	}()
	require.NoError(t, s.Close())
	require.Error(t, <-written)
}
