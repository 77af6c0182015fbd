package sftpfs

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A file that is longer than any real one is refused, and named.
func TestFilesOfTheUserAreBounded(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.NoError(t, os.Truncate(file, 64<<20+1))
	for what, read := range map[string]func() error{
		"known hosts": func() error { _, err := readKnownHosts([]string{file}, false); return err },
		"ssh_config":  func() error { _, err := New(Config{Addr: "host", SSHConfig: []string{file}}); return err },
		"key":         func() error { _, err := readKeys(Config{KeyFiles: []string{file}}); return err },
		"certificate": func() error { _, err := readCertificate(file, nil); return err },
	} {
		t.Run(what, func(t *testing.T) {
			require.ErrorContains(t, read(), "read "+file+": longer than 64 MiB")
		})
	}
}
