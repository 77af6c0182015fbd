package wire

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wiretest"
)

// Each request is the packet that the draft describes. (wiretest.Packet writes requests as well as answers.)
func TestRequestsAsPackets(t *testing.T) {
	t.Parallel()
	const id, handle = 7, "hdl"
	for name, c := range map[string]struct {
		request Request
		packet  []byte
	}{
		"open to read": {OpenRead("/f"), wiretest.Packet(wiretest.Open, id, "/f", uint32(1), uint32(0))},
		"open new":     {OpenNew("/f", 0o640), wiretest.Packet(wiretest.Open, id, "/f", uint32(2|8|32), uint32(4), uint32(0o640))},
		"open dir":     {OpenDir("/d"), wiretest.Packet(wiretest.OpenDir, id, "/d")},
		"close":        {CloseHandle(), wiretest.Packet(wiretest.Close, id, handle)},
		"read":         {ReadAt(1<<40, 9), wiretest.Packet(wiretest.Read, id, handle, uint64(1<<40), uint32(9))},
		"write":        {WriteAt(5, []byte("text")), wiretest.Packet(wiretest.Write, id, handle, uint64(5), "text")},
		"fstat":        {Fstat(), wiretest.Packet(wiretest.Fstat, id, handle)},
		"fsetstat":     {SetTimes(3, 4), wiretest.Packet(wiretest.Fsetstat, id, handle, uint32(8), uint32(3), uint32(4))},
		"readdir":      {ReadDir(), wiretest.Packet(wiretest.ReadDir, id, handle)},
		"lstat":        {Lstat("/l"), wiretest.Packet(wiretest.Lstat, id, "/l")},
		"mkdir":        {Mkdir("/d", 0o755), wiretest.Packet(wiretest.Mkdir, id, "/d", uint32(4), uint32(0o755))},
		"remove":       {Remove("/f"), wiretest.Packet(wiretest.Remove, id, "/f")},
		"limits":       {AskLimits(), wiretest.Packet(wiretest.Extended, id, "limits@openssh.com")},
	} {
		require.Equal(t, c.packet, c.request.appendTo(nil, id, handle), name)
		require.Equal(t, c.packet, c.request.OnHandle(handle).appendTo(nil, id, "another"), name)
	}
}

// What a request is about is found in its body, also in those of pkg/sftp.
func TestWhatRequestsAreAbout(t *testing.T) {
	t.Parallel()
	two := body{}.string("/old").string("/new")
	for name, c := range map[string]struct {
		request Request
		path    string
		handle  string
	}{
		"open":         {OpenRead("/f"), "/f", ""},
		"lstat":        {Lstat("/f"), "/f", ""},
		"remove":       {Remove("/f"), "/f", ""},
		"rename":       {Request{kind: packetRename, body: two}, "/new", ""},
		"posix rename": {Request{kind: packetExtended, body: append(body{}.string(ExtensionPosixRename), two...)}, "/new", ""},
		"extended":     {AskLimits(), "", ""},
		"read":         {ReadAt(0, 1).OnHandle("h"), "", "h"},
		"close":        {CloseHandle().OnHandle("h"), "", "h"},
		"cut short":    {Request{kind: packetRename, body: body{}.string("/old")}, "\x00", ""},
	} {
		switch want := c.request.PathHash(); c.path {
		case "":
			require.Zero(t, want, name)
		case "\x00":
			require.NotZero(t, want, name)
		default:
			require.Equal(t, HashPath(c.path), want, name)
		}
		require.Equal(t, c.handle, string(c.request.handle()), name)
	}
	require.NotEqual(t, HashPath("/a"), HashPath("/b"))
}
