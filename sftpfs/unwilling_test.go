package sftpfs_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// unwilling are servers that do not tell the attributes of an open file.
var unwilling = map[string][]sftptest.Character{
	"FSTAT unsupported":         {sftptest.NoFstat()},
	"FSTAT denied":              {sftptest.Restricted(sftptest.Fstat)},
	"FSTAT and FSETSTAT denied": {sftptest.Restricted(sftptest.Fstat, sftptest.Fsetstat)},
	"FSTAT and LSTAT denied":    {sftptest.Restricted(sftptest.Fstat, sftptest.Lstat)},
	"FSTAT fails":               {refuse(sftptest.StatusFailure, sftptest.Fstat)},
	"object store":              {sftptest.ObjectStore()},
	"object store, no FSTAT":    {sftptest.ObjectStore(), sftptest.NoFstat()},
	"locked":                    {sftptest.Locked()},
	"locked object store":       {sftptest.ObjectStore(), sftptest.Locked()},
}

func TestNewFileGetsItsModeOnAnUnwillingServer(t *testing.T) {
	t.Parallel()
	for name, characters := range unwilling {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys, dir := quirky(t, characters...)
			for i, flag := range []int{os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_EXCL, os.O_WRONLY} {
				name := fmt.Sprint(i)
				f, err := fsys.OpenFile(name, flag|os.O_CREATE, 0o640)
				require.NoError(t, err)
				_, err = f.Write([]byte("content"))
				require.NoError(t, err)
				require.NoError(t, f.Close())
				requireFile(t, dir, name, "content", 0o640)
			}
			require.NoError(t, afero.WriteFile(fsys, "0", []byte("changed"), 0o600))
			requireFile(t, dir, "0", "changed", 0o640)
		})
	}
}

func TestReadsOnAnUnwillingServer(t *testing.T) {
	t.Parallel()
	for name, characters := range unwilling {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys, dir := quirky(t, characters...)
			content := random(100_000)
			putFile(t, dir, "f", string(content))
			putFile(t, dir, "empty", "")
			for range 3 {
				got, err := afero.ReadFile(fsys, "f")
				require.NoError(t, err)
				require.True(t, bytes.Equal(content, got))
				got, err = afero.ReadFile(fsys, "empty")
				require.NoError(t, err)
				require.Empty(t, got)

				f, err := fsys.Open("f")
				require.NoError(t, err)
				fi, err := f.Stat()
				require.NoError(t, err)
				require.EqualValues(t, len(content), fi.Size())
				var all bytes.Buffer
				_, err = io.Copy(&all, f)
				require.NoError(t, err)
				require.True(t, bytes.Equal(content, all.Bytes()))
				at, err := f.Seek(-3, io.SeekEnd)
				require.NoError(t, err)
				require.EqualValues(t, len(content)-3, at)
				require.NoError(t, f.Close())
			}
		})
	}
}

// Even if nothing tells the size of the file.
func TestReadsWithoutASize(t *testing.T) {
	t.Parallel()
	fsys, dir := quirky(t, sftptest.Restricted(sftptest.Stat, sftptest.Lstat, sftptest.Fstat, sftptest.OpenDir))
	content := random(100_000)
	putFile(t, dir, "f", string(content))
	got, err := afero.ReadFile(fsys, "f")
	require.NoError(t, err)
	require.True(t, bytes.Equal(content, got))
	f, err := fsys.Open("f")
	require.NoError(t, err)
	var all bytes.Buffer
	_, err = io.Copy(&all, f)
	require.NoError(t, err)
	require.True(t, bytes.Equal(content, all.Bytes()))
	require.NoError(t, f.Close())
}

func TestAppendsOnAnUnwillingServer(t *testing.T) {
	t.Parallel()
	for name, characters := range unwilling {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys, dir := quirky(t, characters...)
			want := ""
			for i := range 3 {
				f, err := fsys.OpenFile("f", os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
				require.NoError(t, err)
				for range 2 {
					_, err = fmt.Fprintf(f, "%d,", i)
					require.NoError(t, err)
					want += fmt.Sprintf("%d,", i)
				}
				require.NoError(t, f.Close())
			}
			requireFile(t, dir, "f", want, 0o644)
		})
	}
}

// What the server refuses once it is not asked again, also on another connection.
func TestRefusedFstatIsRemembered(t *testing.T) {
	t.Parallel()
	var fstats counter
	server := sftptest.Start(t, fstats.character(), sftptest.NoFstat(), serving(t.TempDir()))
	fsys := newFs(t, server.Config())
	for range 3 {
		_, err := fsys.Stat("/")
		require.NoError(t, err)
		require.NoError(t, afero.WriteFile(fsys, "f", nil, 0o600))
		require.NoError(t, fsys.Remove("f"))
		server.Disconnect()
	}
	require.EqualValues(t, 1, fstats.of(sftptest.Fstat))
}
