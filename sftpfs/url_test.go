package sftpfs

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseURL(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]Config{
		"sftp://host":                      {Addr: "host:22"},
		"sftp://host/":                     {Addr: "host:22", Root: "/"},
		"sftp://me@host:1222/up/load":      {Addr: "host:1222", User: "me", Root: "/up/load"},
		"sftp://me:p%40ss@host/a%20b":      {Addr: "host:22", User: "me", Password: "p@ss", Root: "/a b"},
		"sftp://me@[::1]:1222/x":           {Addr: "[::1]:1222", User: "me", Root: "/x"},
		"sftp://[2001:db8::1]/x":           {Addr: "[2001:db8::1]:22", Root: "/x"},
		"sftp://DOMAIN%5Cme@host/C:/Users": {Addr: "host:22", User: `DOMAIN\me`, Root: "/C:/Users"},
	} {
		got, err := ParseURL(raw)
		require.NoError(t, err, raw)
		require.Equal(t, want, got, raw)
	}
}

func TestParseURLRefuses(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"", "host", "host:22", "http://u:s3cret@host/", "sftp:u:s3cret@host", "sftp://u:s3cret@/x", "sftp://",
		"sftp://u:s3cret@host:0/", "sftp://u:s3cret@host:99999/", "sftp://u:s3cret@host:port/",
		"sftp://u:s3cret%zz@host/", "sftp://u:s3cret@ho st/", "sftp://u:s3cret@host/x?y=z", "sftp://u:s3cret@host/x#y",
		"sftp://u:123456789/@host/", "sftp://u:p@*/", "sftp://u:p@a,b/", "sftp://u:p@!x,*/", "sftp://u:p@evil%3F/",
		"sftp://u:s3cret#@host/", "sftp://u:s3cret/@host/", "sftp://u:s3cret\x00@host/",
	} {
		_, err := ParseURL(raw)
		require.Error(t, err, raw)
		require.NotContains(t, err.Error(), "s3cret", raw)
		require.NotContains(t, err.Error(), "123456789", raw)
	}
}
