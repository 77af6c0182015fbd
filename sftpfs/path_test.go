package sftpfs

import (
	"context"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/invalid"
	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

func noDial(t *testing.T) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		t.Error("dialled")
		return nil, net.ErrClosed
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"": "/", ".": "/", "/": "/", "a": "/a", "/a/": "/a", "./a//b/.": "/a/b", "a/../b": "/b", "..": "/",
		"../../etc": "/etc", "/../..": "/", " ": "/ ", "a\nb": "/a\nb",
	} {
		got, err := clean(name)
		require.NoError(t, err)
		require.Equal(t, want, got, "%q", name)
	}
	_, err := clean("a\x00b")
	require.ErrorIs(t, err, invalid.Argument)
}

func TestRootOnServer(t *testing.T) {
	t.Parallel()
	below, top := &session{root: "/srv/up"}, &session{root: "/"}
	for p, want := range map[string][2]string{
		"/": {"/srv/up", "/"}, "/a": {"/srv/up/a", "/a"}, "/a/b": {"/srv/up/a/b", "/a/b"},
	} {
		require.Equal(t, want[0], below.on(p))
		require.Equal(t, want[1], top.on(p))
	}
}

func TestLinkTargets(t *testing.T) {
	t.Parallel()
	s := &session{root: "/srv/up"}
	for given, stored := range map[string]string{
		"/": "/srv/up", "/a": "/srv/up/a", "a": "a", "../a": "../a", "": "", "a//b": "a//b",
	} {
		require.Equal(t, stored, s.target(given))
		require.Equal(t, given, s.shown(stored))
	}
	require.Equal(t, "/srv/up/etc", s.target("/../../etc"), "an absolute target stays below the root")
	require.Equal(t, "/etc", s.shown("/etc"), "a target outside the root stays what it is")
	require.Equal(t, "/srv/upper", s.shown("/srv/upper"))
	require.Equal(t, "/etc", (&session{root: "/"}).shown("/etc"))
}

func TestInside(t *testing.T) {
	t.Parallel()
	require.True(t, inside("/a/b", "/a"))
	require.True(t, inside("/a", "/"))
	require.False(t, inside("/a", "/a"))
	require.False(t, inside("/ab", "/a"))
	require.False(t, inside("/", "/"))
}

func TestTooLong(t *testing.T) {
	t.Parallel()
	bare := answer(wire.Status{Code: 5})
	require.Equal(t, syscall.ENAMETOOLONG, tooLong(bare, "/a/"+strings.Repeat("x", 256)))
	require.Equal(t, syscall.ENAMETOOLONG, tooLong(bare, strings.Repeat("/x", 2048)))
	require.Equal(t, bare, tooLong(bare, "/a/"+strings.Repeat("x", 255)))
	require.Equal(t, syscall.EACCES, tooLong(syscall.EACCES, "/"+strings.Repeat("x", 256)))
}
