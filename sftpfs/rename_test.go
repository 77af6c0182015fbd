package sftpfs

import (
	"io/fs"
	"syscall"
	"testing"

	"github.com/pkg/sftp"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/invalid"
	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wire"
)

func TestWhyNotMoved(t *testing.T) {
	t.Parallel()
	file, err := wire.NewInfo("f", &sftp.FileStat{Mode: 0o100644})
	require.NoError(t, err)
	dir, err := wire.NewInfo("d", &sftp.FileStat{Mode: 0o040755})
	require.NoError(t, err)
	bare := answer(wire.Status{Code: 4})
	for _, c := range []struct {
		what           string
		newp           string
		source, target fs.FileInfo
		err, want      error
	}{
		{"directory over file, OpenSSH", "/x", dir, file, syscall.ENOENT, syscall.ENOTDIR},
		{"directory over file, others", "/x", dir, file, bare, syscall.ENOTDIR},
		{"into itself", "/a/x", dir, nil, bare, invalid.Argument},
		{"into what is missing in itself", "/a/x/y", dir, nil, syscall.ENOENT, syscall.ENOENT},
		{"to where no directory is", "/no/x", file, nil, syscall.ENOENT, syscall.ENOENT},
		{"file over file, no replacing", "/x", file, file, bare, syscall.EEXIST},
		{"for another reason", "/x", file, nil, bare, bare},
		{"beside itself", "/ab", dir, nil, bare, bare},
	} {
		require.Equal(t, c.want, whyNotMoved("/a", c.newp, c.source, c.target, c.err), c.what)
	}
}
