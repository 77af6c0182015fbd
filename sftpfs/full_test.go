package sftpfs_test

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"syscall"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
)

// On a full disk a write says so, and a program that writes under another name and renames keeps the old file.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	server := opensshtest.Start(t, opensshtest.Options{Setup: `mount -t tmpfs -o size=2m tmpfs "$ROOT"`})
	fsys := newFs(t, openSSHConfig(server))
	old := random(1 << 20)
	require.NoError(t, afero.WriteFile(fsys, "f", old, 0o600))

	for name, write := range map[string]func(f afero.File) error{
		"write": func(f afero.File) error { _, err := f.Write(random(3 << 20)); return err },
		"copy": func(f afero.File) error {
			_, err := f.(io.ReaderFrom).ReadFrom(bytes.NewReader(random(3 << 20)))
			return err
		},
	} {
		f, err := fsys.OpenFile("temp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		require.NoError(t, err)
		err = write(f)
		require.ErrorIs(t, err, syscall.ENOSPC, name)
		var pathErr *fs.PathError
		require.ErrorAs(t, err, &pathErr)
		require.Equal(t, "write", pathErr.Op)
		require.Equal(t, "temp", pathErr.Path)
		_ = f.Close()
		got, err := afero.ReadFile(fsys, "f")
		require.NoError(t, err)
		require.True(t, bytes.Equal(old, got))
		require.NoError(t, fsys.Remove("temp"))
	}
	require.NoError(t, afero.WriteFile(fsys, "temp", []byte("new"), 0o600))
	require.NoError(t, fsys.Rename("temp", "f"), "there is room for that")
	_, err := os.Stat(server.Root + "/f")
	require.ErrorIs(t, err, fs.ErrNotExist, "the disk is the server's alone")
}
