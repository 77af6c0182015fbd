package sftpfs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
)

// accountCalls are calls on a root with the file f, the directory d and the symbolic link l.
var accountCalls = map[string]func(fsys *sftpfs.Fs) error{
	"write":     func(fsys *sftpfs.Fs) error { return afero.WriteFile(fsys, "new", []byte("new"), 0o644) },
	"overwrite": func(fsys *sftpfs.Fs) error { return afero.WriteFile(fsys, "f", []byte("new"), 0o644) },
	"read":      func(fsys *sftpfs.Fs) error { _, err := afero.ReadFile(fsys, "f"); return err },
	"stat":      func(fsys *sftpfs.Fs) error { _, err := fsys.Stat("f"); return err },
	"lstat":     func(fsys *sftpfs.Fs) error { _, _, err := fsys.LstatIfPossible("l"); return err },
	"list":      func(fsys *sftpfs.Fs) error { _, err := afero.ReadDir(fsys, "/"); return err },
	"mkdir":     func(fsys *sftpfs.Fs) error { return fsys.Mkdir("new", 0o755) },
	"mkdirall":  func(fsys *sftpfs.Fs) error { return fsys.MkdirAll("new/sub", 0o755) },
	"remove":    func(fsys *sftpfs.Fs) error { return fsys.Remove("f") },
	"rmdir":     func(fsys *sftpfs.Fs) error { return fsys.Remove("d") },
	"removeall": func(fsys *sftpfs.Fs) error { return fsys.RemoveAll("f") },
	"rename":    func(fsys *sftpfs.Fs) error { return fsys.Rename("f", "new") },
	"replace":   func(fsys *sftpfs.Fs) error { return fsys.Rename("f", "l") },
	"chmod":     func(fsys *sftpfs.Fs) error { return fsys.Chmod("f", 0o600) },
	"chtimes":   func(fsys *sftpfs.Fs) error { return fsys.Chtimes("f", time.Unix(1, 0), time.Unix(1, 0)) },
	"symlink":   func(fsys *sftpfs.Fs) error { return fsys.SymlinkIfPossible("f", "new") },
	"readlink":  func(fsys *sftpfs.Fs) error { _, err := fsys.ReadlinkIfPossible("l"); return err },
}

// What an account may not do fails as such, changes nothing, and keeps the connection. All else works.
func TestRestrictedAccounts(t *testing.T) {
	t.Parallel()
	for name, account := range map[string]struct {
		args    string // of sftp-server
		refused string // calls
	}{
		"read only": {"-R", "write overwrite mkdir mkdirall remove rmdir removeall rename replace chmod chtimes symlink"},
		"upload only": {"-P read,opendir,readdir,remove,rmdir,rename,posix-rename,setstat,fsetstat,symlink,hardlink,readlink",
			"read list remove rmdir removeall rename replace chmod chtimes symlink readlink"},
		"no removing":     {"-P remove,rmdir,rename,posix-rename", "remove rmdir removeall rename replace"},
		"no listing":      {"-P opendir,readdir", "list"},
		"no plain rename": {"-P rename", ""},
		"no directories":  {"-P mkdir,rmdir", "mkdir mkdirall rmdir"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := opensshtest.Start(t, opensshtest.Options{SFTPServerArgs: strings.Fields(account.args)})
			refused := strings.Fields(account.refused)
			for call, do := range accountCalls {
				root := filepath.Join(server.Root, call)
				require.NoError(t, os.MkdirAll(filepath.Join(root, "d"), 0o755))
				require.NoError(t, os.WriteFile(filepath.Join(root, "f"), []byte("old"), 0o644))
				require.NoError(t, os.Symlink("f", filepath.Join(root, "l")))
				before := treeOf(t, root)
				cfg := openSSHConfig(server)
				cfg.Root = root
				fsys := newFs(t, cfg)
				_ = fsys.Connect(t.Context())
				err := do(fsys)
				if !slices.Contains(refused, call) {
					require.NoError(t, err, call)
					continue
				}
				require.ErrorIs(t, err, fs.ErrPermission, call)
				require.NotErrorIs(t, err, sftpfs.ErrUnavailable, call)
				require.Equal(t, before, treeOf(t, root), call)
				c, err := fsys.Capabilities(t.Context())
				require.NoError(t, err)
				require.Equal(t, 1, c.Connections, call)
			}
		})
	}
}

// treeOf returns each name with its mode and time, and what is in it.
func treeOf(t *testing.T, root string) map[string]string {
	t.Helper()
	tree := make(map[string]string)
	require.NoError(t, filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		tree[name] = fi.Mode().String() + fi.ModTime().String()
		if fi.Mode().IsRegular() {
			content, err := os.ReadFile(name)
			tree[name] += string(content)
			return err
		}
		return nil
	}))
	return tree
}

// What the server's umask removes from a new file stays removed, whatever mode is asked for. Chmod sets any.
func TestUmaskOfTheServer(t *testing.T) {
	t.Parallel()
	server := opensshtest.Start(t, opensshtest.Options{SFTPServerArgs: []string{"-u", "0007"}})
	fsys := newFs(t, openSSHConfig(server))
	for asked, given := range map[fs.FileMode]fs.FileMode{0o666: 0o660, 0o644: 0o640, 0o600: 0o600, 0o777: 0o770} {
		name := asked.String()
		require.NoError(t, afero.WriteFile(fsys, name, nil, asked))
		fi, err := os.Stat(filepath.Join(server.Root, name))
		require.NoError(t, err)
		require.Equal(t, given, fi.Mode())
		require.NoError(t, fsys.Chmod(name, 0o644))
		fi, err = os.Stat(filepath.Join(server.Root, name))
		require.NoError(t, err)
		require.EqualValues(t, 0o644, fi.Mode())
	}
}
