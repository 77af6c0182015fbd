package sftpfs

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLinkOrderOf(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]int{
		"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10": opensshOrder,
		"SSH-2.0-Go":              opensshOrder,
		"SSH-2.0-AsyncSSH_2.10.1": draftOrder,
		"SSH-2.0-mod_sftp":        0,
		"":                        0,
	} {
		require.Equal(t, want, linkOrderOf(version), version)
	}
}
