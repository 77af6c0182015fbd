package sftptest_test

import (
	"io"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

func start(t testing.TB, opts *sftptest.Options) *sftptest.Server {
	t.Helper()
	s, err := sftptest.New(opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// dial returns an SSH connection to s, for tests that speak SFTP themselves.
func dial(t testing.TB, s *sftptest.Server) *ssh.Client {
	t.Helper()
	cfg := s.Config()
	conn, err := ssh.Dial("tcp", s.Addr(), &ssh.ClientConfig{
		User: cfg.User, Auth: cfg.Auth, HostKeyCallback: cfg.HostKeyCallback,
	})
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close(); _ = conn.Wait() })
	return conn
}

func channel(t testing.TB, conn *ssh.Client) *sftp.Client {
	t.Helper()
	c, err := sftp.NewClient(conn)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// code returns the status code of err as it came over the wire.
func code(err error) uint32 {
	switch e := err.(type) { //nolint:errorlint // one layer after the other
	case nil:
		return 0
	case *sftp.StatusError:
		return e.Code
	case *fs.PathError:
		return code(e.Err)
	}
	switch err {
	case fs.ErrNotExist:
		return 2
	case fs.ErrPermission:
		return 3
	}
	return 99
}

const soon = 20 * time.Second

// on returns a hook for the requests of one kind.
func on(kind sftptest.Kind, hook sftptest.Hook) sftptest.Character {
	return sftptest.OnRequest(func(r *sftptest.Request) sftptest.Answer {
		if r.Kind == kind {
			return hook(r)
		}
		return r.Next()
	})
}

// serving serves fsys.
func serving(fsys afero.Fs) sftptest.Character {
	return func(o *sftptest.Options) { o.Fs = fsys }
}

// await returns what arrives on c, before long.
func await[T any](t testing.TB, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(soon):
		t.Fatal("nothing happens")
	}
	return v
}

// drain returns what has arrived on c.
func drain[T any](c chan T) (all []T) {
	for {
		select {
		case v := <-c:
			all = append(all, v)
		default:
			return all
		}
	}
}

// later runs do, and returns where its error arrives.
func later(do func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	return done
}

func requireExists(t testing.TB, fsys afero.Fs, name string, want bool) {
	t.Helper()
	got, err := afero.Exists(fsys, name)
	require.NoError(t, err)
	require.Equal(t, want, got, name)
}

// put makes a file from behind.
func put(t testing.TB, s *sftptest.Server, name, content string) {
	t.Helper()
	require.NoError(t, afero.WriteFile(s.Fs(), name, []byte(content), 0o644))
}

// requireContent looks from behind.
func requireContent(t testing.TB, s *sftptest.Server, name, want string) {
	t.Helper()
	got, err := afero.ReadFile(s.Fs(), name)
	require.NoError(t, err)
	require.Equal(t, want, string(got))
}

// write makes a file, or replaces its content.
func write(c *sftp.Client, name, content string) error {
	f, err := c.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	if _, err := f.Write([]byte(content)); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// startWith returns a server with characters and a client of it.
func startWith(t testing.TB, characters ...sftptest.Character) (*sftptest.Server, *sftp.Client) {
	t.Helper()
	server := sftptest.Start(t, characters...)
	return server, channel(t, dial(t, server))
}

func requireStatus(t testing.TB, want sftptest.Status, err error) {
	t.Helper()
	require.EqualValues(t, want, code(err), "%v", err)
}

func read(c *sftp.Client, name string) (string, error) {
	f, err := c.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	return string(b), err
}

func second[T any](_ T, err error) error { return err }
