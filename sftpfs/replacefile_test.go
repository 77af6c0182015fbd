package sftpfs_test

import (
	"io/fs"
	"os"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
)

func TestReplaceFile(t *testing.T) {
	t.Parallel()
	plain := opensshtest.Options{SFTPServerArgs: []string{"-P", "posix-rename"}}
	for name, c := range map[string]struct {
		cfg      func(t *testing.T) sftpfs.Config
		replaces bool
	}{
		"inside":                    {func(t *testing.T) sftpfs.Config { return newServer(t, nil).Config() }, true},
		"OpenSSH":                   {func(t *testing.T) sftpfs.Config { return openSSHConfig(opensshtest.Start(t, opensshtest.Options{})) }, true},
		"OpenSSH that only renames": {func(t *testing.T) sftpfs.Config { return openSSHConfig(opensshtest.Start(t, plain)) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys := newFs(t, c.cfg(t))
			write := func(name, text string) { require.NoError(t, afero.WriteFile(fsys, name, []byte(text), 0o644)) }
			requireText := func(want, name string) {
				text, err := afero.ReadFile(fsys, name)
				require.NoError(t, err)
				require.Equal(t, want, string(text))
			}
			write("a", "first")
			require.NoError(t, fsys.ReplaceFile("a", "b"))
			requireText("first", "b")
			require.ErrorIs(t, fsys.ReplaceFile("a", "b"), fs.ErrNotExist)
			require.ErrorAs(t, fsys.ReplaceFile("a", "b"), new(*os.LinkError))

			write("a", "second")
			if err := fsys.ReplaceFile("a", "b"); c.replaces {
				require.NoError(t, err)
				requireText("second", "b")
				write("a", "third")
			} else {
				require.ErrorIs(t, err, fs.ErrExist)
				requireText("first", "b")
			}

			require.NoError(t, fsys.Mkdir("d", 0o755))
			require.ErrorIs(t, fsys.ReplaceFile("a", "d"), fs.ErrExist)
			isDir, err := afero.IsDir(fsys, "d")
			require.NoError(t, err)
			require.True(t, isDir, "an empty directory stays")
			require.ErrorIs(t, fsys.ReplaceFile("a", "missing/a"), fs.ErrNotExist)
			exists, err := afero.Exists(fsys, "a")
			require.NoError(t, err)
			require.True(t, exists)
		})
	}
}
