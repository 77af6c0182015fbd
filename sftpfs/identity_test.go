package sftpfs

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The identity is that of Config with its defaults, and as ssh_config has it.
func TestIdentity(t *testing.T) {
	t.Parallel()
	file := sshConfigFile(t, "Host alias\nHostName Real.example\nPort 2022\nUser ann\n")
	for _, c := range []struct {
		cfg  Config
		want string
	}{
		{Config{Addr: "h", User: "u"}, "sftp://u@h:22/~"},
		{Config{Addr: "H:22", User: "u", Root: "."}, "sftp://u@h:22/~"},
		{Config{Addr: "h:2022", User: "u", Root: "/"}, "sftp://u@h:2022/"},
		{Config{Addr: "h", User: "u", Root: "/srv//data/"}, "sftp://u@h:22/srv/data"},
		{Config{Addr: "h", User: "u", Root: "data"}, "sftp://u@h:22/~/data"},
		{Config{Addr: "::1", User: "u", Root: "/a b"}, "sftp://u@[::1]:22/a%20b"},
		{Config{Addr: "alias", SSHConfig: []string{file}}, "sftp://ann@real.example:2022/~"},
	} {
		c.cfg.KnownHosts = []string{sshConfigFile(t, "")}
		f, err := New(c.cfg)
		require.NoError(t, err)
		require.Equal(t, c.want, f.Identity())
		require.Equal(t, c.want, f.WithContext(t.Context()).(*Fs).Identity())
		require.NoError(t, f.Close())
	}
	f := NewClient(nil, "/srv")
	require.Empty(t, f.Identity())
}
