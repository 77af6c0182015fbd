package sftptest_test

import (
	"io"
	"os"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wiretest"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// Handles are good for what they were opened for, and only on their channel.
func TestHandles(t *testing.T) {
	t.Parallel()
	for name, fsys := range map[string]afero.Fs{"in memory": nil, "MemMapFs": afero.NewMemMapFs()} {
		server, c := startWith(t, serving(fsys))
		put(t, server, "/f", "content")

		f, err := c.OpenFile("/f", os.O_WRONLY)
		require.NoError(t, err)
		requireStatus(t, sftptest.StatusNoSuchFile, second(f.ReadAt(make([]byte, 1), 0))) // EBADF
		require.NoError(t, f.Close())
		f, err = c.Open("/f")
		require.NoError(t, err)
		requireStatus(t, sftptest.StatusNoSuchFile, second(f.WriteAt([]byte("x"), 0)))
		requireContent(t, server, "/f", "content")
		n, err := f.ReadAt(make([]byte, 10), 2)
		require.Equal(t, io.EOF, err, name)
		require.Equal(t, 5, n, name)

		conn := dial(t, server)
		one, two := raw(t, conn), raw(t, conn)
		one.send(wiretest.Packet(wiretest.OpenDir, 1, "/"))
		r := one.receive()
		dir := r.Text()
		two.send(wiretest.Packet(wiretest.ReadDir, 2, dir))
		two.requireStatus(2, 4)
		one.send(wiretest.Packet(wiretest.Read, 3, dir, uint64(0), uint32(1)),
			wiretest.Packet(wiretest.Fsetstat, 4, dir, uint32(1), uint64(0)),
			wiretest.Packet(wiretest.Fstat, 5, dir),
			wiretest.Packet(wiretest.Close, 6, dir),
			wiretest.Packet(wiretest.ReadDir, 7, dir),
			wiretest.Packet(wiretest.Close, 8, dir))
		one.requireStatus(3, 4)
		one.requireStatus(4, 4)
		require.EqualValues(t, wiretest.Attrs, one.receive().Kind)
		one.requireStatus(6, 0)
		one.requireStatus(7, 4)
		one.requireStatus(8, 4)
	}
}

// What is appended goes to the end, wherever the client says.
func TestAppend(t *testing.T) {
	t.Parallel()
	for name, fsys := range map[string]afero.Fs{"in memory": nil, "MemMapFs": afero.NewMemMapFs()} {
		server, c := startWith(t, serving(fsys))
		put(t, server, "/f", "content")
		f, err := c.OpenFile("/f", os.O_WRONLY|os.O_APPEND)
		require.NoError(t, err)
		require.NoError(t, second(f.WriteAt([]byte("1"), 0)))
		require.NoError(t, second(f.WriteAt([]byte("2"), 100)), name)
		requireContent(t, server, "/f", "content12")
	}
}
