package sftpfs

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A URL that can't be used is refused without a panic, and without a word of it in the error: it may hold a password.
func FuzzParseURL(f *testing.F) {
	for _, s := range []string{
		"sftp://user:secret@host:22/root", "sftp://[::1]:2222/", "sftp://a,b/", "http://host", "sftp://user:%zz@host", "sftp://h/%2e%2e",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, rawURL string) {
		if _, err := ParseURL(rawURL); err != nil {
			if _, rest, ok := strings.Cut(rawURL, "://"); ok && len(rest) > 12 {
				require.NotContains(t, err.Error(), rest)
			}
		}
	})
}
