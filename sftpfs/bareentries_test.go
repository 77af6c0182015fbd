package sftpfs_test

import (
	"fmt"
	"io/fs"
	"slices"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// noTypes takes the type away from the attributes in the answers to some kinds of requests, and everything if bare.
func noTypes(bare bool, kinds ...sftptest.Kind) sftptest.Character {
	return sftptest.OnRequest(func(r *sftptest.Request) sftptest.Answer {
		a := r.Next()
		switch {
		case a.Attrs.Mode == nil || !slices.Contains(kinds, r.Kind):
		case bare:
			a.Attrs = sftptest.Attributes{Size: a.Attrs.Size}
		default:
			a.Attrs.Mode = new(*a.Attrs.Mode & 0o7777)
		}
		return a
	})
}

// onlyTypes lists types alone.
func onlyTypes() sftptest.Character {
	return sftptest.OnRequest(func(r *sftptest.Request) sftptest.Answer {
		a := r.Next()
		for i, e := range a.Entries {
			if r.Kind == sftptest.ReadDir {
				a.Entries[i].Attrs = sftptest.Attributes{Mode: e.Attrs.Mode}
			}
		}
		return a
	})
}

// What a server does not list is asked for.
func TestListingsWithoutAttributes(t *testing.T) {
	t.Parallel()
	never := []sftptest.Kind{sftptest.Stat, sftptest.Lstat, sftptest.Fstat}
	for name, characters := range map[string][]sftptest.Character{
		"no attributes":             {sftptest.NoAttributes()},
		"no types":                  {sftptest.NoTypes()},
		"only types":                {onlyTypes()},
		"no types, few files":       {sftptest.NoTypes(), sftptest.OneFile()},
		"no attributes, no LSTAT":   {sftptest.NoAttributes(), sftptest.Restricted(sftptest.Lstat)},
		"no types anywhere":         {sftptest.NoTypes(), noTypes(false, never...)},
		"no attributes anywhere":    {sftptest.NoAttributes(), noTypes(true, never...)},
		"no types, says OpenSSH":    {sftptest.NoTypes(), version(openSSHVersion)},
		"no types, OpenSSH's fsync": {sftptest.NoTypes(), version(openSSHVersion), sftptest.Announce("fsync@openssh.com", "1")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := sftptest.Start(t, characters...)
			fsys := newFs(t, server.Config())
			tree := server.Fs()
			require.NoError(t, tree.MkdirAll("/d/dir/below", 0o755))
			require.NoError(t, tree.MkdirAll("/kept/below", 0o755))
			require.NoError(t, tree.(afero.Linker).SymlinkIfPossible("/kept", "/d/link"))
			for i := range 150 {
				require.NoError(t, afero.WriteFile(tree, fmt.Sprintf("/d/file%03d", i), []byte("content"), 0o644))
			}
			types := map[string]fs.FileMode{"dir": fs.ModeDir, "link": fs.ModeSymlink}
			check := func(fi fs.FileInfo) {
				t.Helper()
				require.Equal(t, types[fi.Name()], fi.Mode().Type(), fi.Name())
				if fi.Mode().IsRegular() {
					require.EqualValues(t, 7, fi.Size())
				}
			}
			entries, err := fsys.ReadDir("d")
			require.NoError(t, err)
			require.Len(t, entries, 152)
			f, err := fsys.Open("d")
			require.NoError(t, err)
			more, err := f.Readdir(-1)
			require.NoError(t, err)
			require.NoError(t, f.Close())
			require.Len(t, more, 152)
			for _, fi := range slices.Concat(entries, more) {
				check(fi)
			}
			for _, name := range []string{"dir", "link", "file000"} {
				fi, _, err := fsys.LstatIfPossible("d/" + name)
				require.NoError(t, err)
				check(fi)
			}
			fi, err := fsys.Stat("d/link")
			require.NoError(t, err)
			require.True(t, fi.IsDir())
			require.NoError(t, fsys.MkdirAll("d/dir/below", 0o755))
			require.NoError(t, fsys.RemoveAll("d"))
			_, err = tree.Stat("/kept/below")
			require.NoError(t, err, "it is behind a symbolic link")
			_, err = tree.Stat("/d")
			require.ErrorIs(t, err, fs.ErrNotExist)
		})
	}
}

// If the server does not tell what an entry is, the listing fails.
func TestListingOfUnknownTypes(t *testing.T) {
	t.Parallel()
	server := sftptest.Start(t, sftptest.NoAttributes(), sftptest.Restricted(sftptest.Stat, sftptest.Lstat))
	fsys := newFs(t, server.Config())
	require.NoError(t, server.Fs().Mkdir("/d", 0o755))
	_, err := fsys.ReadDir("/")
	require.ErrorIs(t, err, fs.ErrPermission)
	require.ErrorContains(t, err, "readdir /: the server does not list what d is: permission denied")
}

// Listings that say all cost no further request.
func TestListingsWithAttributes(t *testing.T) {
	t.Parallel()
	var looks counter
	server := sftptest.Start(t, looks.character())
	fsys := newFs(t, server.Config())
	require.NoError(t, server.Fs().Mkdir("/d", 0o755))
	require.NoError(t, afero.WriteFile(server.Fs(), "/f", nil, 0o000))
	entries, err := fsys.ReadDir("/")
	require.NoError(t, err)
	require.Len(t, entries, 2)
	require.Zero(t, looks.of(sftptest.Stat, sftptest.Lstat))
}
