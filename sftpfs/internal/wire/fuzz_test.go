package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/pkg/sftp"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wiretest"
)

// Whatever is in an answer, it is read without a panic, and a name that leads elsewhere is no entry.
func FuzzPacket(f *testing.F) {
	f.Add(byte(packetName), namesBody("a", "..", "b"))
	f.Add(byte(packetAttrs), wiretest.AttrsOf(1<<63, 0o40755, 1))
	f.Add(byte(packetStatus), wiretest.Packet(wiretest.Status, 1, uint32(2), "no such file", "en")[headerSize:])
	f.Add(byte(packetHandle), wiretest.Packet(wiretest.Handle, 1, "h")[headerSize:])
	f.Add(byte(packetExtendedReply), wiretest.Packet(wiretest.ExtendedReply, 1, uint64(1), uint64(2), uint64(3), uint64(4))[headerSize:])
	f.Fuzz(func(t *testing.T, kind byte, body []byte) {
		r := Reply{kind: kind, body: body}
		_ = r.Is(StatusEOF)
		_ = r.Done()
		_, _ = r.Handle()
		_, _ = r.Data()
		if l, err := r.Limits(); err == nil {
			require.GreaterOrEqual(t, min(l.Read, l.Write, l.Files), int64(0))
		}
		if fi, err := r.Info("f"); err == nil {
			require.GreaterOrEqual(t, fi.Size(), int64(0))
		}
		entries, err := r.Entries()
		for _, fi := range entries {
			require.NoError(t, err)
			require.NoError(t, CheckName(fi.Name()))
		}
		var all listing
		for range 3 {
			if all.add(body, MaxListing) != nil {
				break
			}
		}
	})
}

// Whatever a server says, nothing panics, every call ends, no name leads elsewhere, and pkg/sftp gets little more than what has
// come. Without calls, a few requests of each kind have been sent when all is said. Else each byte stands for a call, and each
// packet that is said answers the next request, with its id.
func FuzzDialogue(f *testing.F) {
	version := wiretest.VersionPacket()
	one := [][]byte{
		wiretest.Packet(wiretest.Handle, 1, "h"), wiretest.NamesPacket(2, "a", ".", "b/c"),
		wiretest.Packet(wiretest.Attrs, 3, wiretest.AttrsOf(7, 0o100644, 1)), wiretest.Packet(wiretest.Handle, 4, "\x00\x00\x00\x00"),
		wiretest.Packet(wiretest.Data, 5, "content"), wiretest.NamesPacket(6, "target"),
		wiretest.Packet(wiretest.Status, 7, uint32(4), "failure", "en"),
	}
	f.Add(version, []byte{})
	for i, packet := range one {
		f.Add(slices.Concat(version, packet), []byte{})
		f.Add(slices.Concat(version, packet, packet, packet), []byte{byte(i), byte(i + 7)})
	}
	handle, status := one[3], wiretest.StatusPacket(0, wiretest.OK)
	f.Add(slices.Concat(version, handle, one[1], status, one[2]), []byte{pipelineInit | 15, 0})
	f.Add(slices.Concat(version, handle, one[4], one[2], status), []byte{14})
	f.Add(slices.Concat(version, handle, one[4], status), []byte{2})
	f.Add(slices.Concat(version, handle, wiretest.NamesPacket(0, "x"), wiretest.StatusPacket(0, wiretest.EOF), status), []byte{1})
	f.Fuzz(func(t *testing.T, said, calls []byte) {
		if len(calls) == 0 {
			replay(t, said)
		} else {
			converse(t, said, calls)
		}
	})
}

// replay reads what is said after a few requests were sent.
func replay(t *testing.T, said []byte) {
	w := New(canned{bytes.NewReader(said)}, MaxListing)
	defer w.Close()
	for id, r := range []Request{
		{kind: packetInit}, OpenDir("d"), ReadDir().OnHandle("h"), Lstat("f"), OpenRead("f"), ReadAt(0, 100).OnHandle("h"),
		{kind: packetReadlink, body: body{}.string("l")}, CloseHandle().OnHandle("h"),
	} {
		_, err := w.Write(r.appendTo(nil, uint32(id), ""))
		require.NoError(t, err)
	}
	n, err := io.Copy(io.Discard, w)
	require.Error(t, errors.Join(err, io.EOF))
	requireLittle(t, n, said)
}

// requireLittle fails if n is much more than what is said.
func requireLittle(t *testing.T, n int64, said []byte) {
	require.LessOrEqual(t, n, int64(2*len(said)+len(said)/headerSize*64))
}

// pipelineInit in the first call of a dialogue has INIT pipelined.
const pipelineInit = 0x80

// converse makes the calls while each packet that is said answers a request.
func converse(t *testing.T, said, calls []byte) {
	ours, theirs := net.Pipe()
	var server sync.WaitGroup
	defer server.Wait()
	server.Go(func() { answerBy(said, theirs) })
	w := New(ours, MaxListing)
	defer w.Close()
	made := int64(0) // bytes of VERSION
	if calls[0]&pipelineInit != 0 {
		w.PipelineInit()
		made = int64(len(w.held))
	}
	counted := &countedReader{r: w}
	client, err := sftp.NewClientPipe(counted, w)
	if err != nil {
		return
	}
	for _, c := range calls {
		dialogueCalls[int(c&^pipelineInit)%len(dialogueCalls)](t, w, client)
	}
	client.Close()
	_ = client.Wait()
	requireLittle(t, counted.n-made, said)
}

// answerBy answers each request with the next packet of what is said. What is no packet goes out as it is. It ends the channel when
// all is said.
func answerBy(said []byte, c io.ReadWriteCloser) {
	defer c.Close()
	for len(said) > 0 {
		r, err := wiretest.ReadRequest(c)
		if err != nil {
			return
		}
		n := len(said)
		if n >= headerSize {
			n = int(min(4+uint64(binary.BigEndian.Uint32(said)), uint64(n)))
		}
		packet := bytes.Clone(said[:n])
		said = said[n:]
		if len(packet) >= headerSize && r.Kind != wiretest.Init {
			binary.BigEndian.PutUint32(packet[5:], r.ID)
		}
		if _, err := c.Write(packet); err != nil {
			return
		}
	}
}

type countedReader struct {
	r io.Reader
	n int64
}

func (c *countedReader) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

func (c *countedReader) Close() error { return nil }

// dialogueCalls send requests of all kinds.
var dialogueCalls = []func(*testing.T, *Wire, *sftp.Client){
	func(_ *testing.T, _ *Wire, c *sftp.Client) { _, _ = c.Stat("f") },
	func(t *testing.T, _ *Wire, c *sftp.Client) {
		entries, err := c.ReadDir("d")
		for _, fi := range entries {
			if err == nil {
				require.NoError(t, CheckName(fi.Name()))
			}
		}
	},
	func(t *testing.T, _ *Wire, c *sftp.Client) {
		if f, err := c.Open("f"); err == nil {
			n, _ := f.ReadAt(make([]byte, 100), 3)
			require.LessOrEqual(t, n, 100)
			f.Close()
		}
	},
	func(_ *testing.T, _ *Wire, c *sftp.Client) {
		if f, err := c.OpenFile("f", os.O_RDWR|os.O_CREATE); err == nil {
			_, _ = f.WriteAt([]byte("text"), 1)
			_ = f.Truncate(2)
			_ = f.Sync()
			_, _ = f.Stat()
			f.Close()
		}
	},
	func(_ *testing.T, _ *Wire, c *sftp.Client) { _, _ = c.Lstat("f") },
	func(_ *testing.T, _ *Wire, c *sftp.Client) { _ = c.Mkdir("d") },
	func(_ *testing.T, _ *Wire, c *sftp.Client) { _ = c.Remove("f") },
	func(_ *testing.T, _ *Wire, c *sftp.Client) { _ = c.Rename("f", "g") },
	func(_ *testing.T, _ *Wire, c *sftp.Client) { _ = c.PosixRename("f", "g") },
	func(_ *testing.T, _ *Wire, c *sftp.Client) { _, _ = c.ReadLink("l") },
	func(_ *testing.T, _ *Wire, c *sftp.Client) { _ = c.Symlink("f", "l") },
	func(_ *testing.T, _ *Wire, c *sftp.Client) { _ = c.Chmod("f", 0o600) },
	func(_ *testing.T, _ *Wire, c *sftp.Client) { _, _ = c.RealPath(".") },
	func(_ *testing.T, _ *Wire, c *sftp.Client) { _, _ = c.StatVFS("d") },
	func(t *testing.T, w *Wire, _ *sftp.Client) {
		replies, err := w.Exchange(OpenRead("f"), ReadAt(0, 100), Fstat(), CloseHandle())
		if err != nil {
			return
		}
		require.Len(t, replies, 4)
		if fi, err := replies[2].Info("f"); err == nil {
			require.GreaterOrEqual(t, fi.Size(), int64(0))
		}
	},
	func(t *testing.T, w *Wire, _ *sftp.Client) {
		replies, err := w.Exchange(OpenDir("d"), ReadDir(), ReadDir(), CloseHandle())
		if err != nil {
			return
		}
		for _, r := range replies[1:3] {
			entries, _ := r.Entries()
			for _, fi := range entries {
				require.NoError(t, CheckName(fi.Name()))
			}
		}
	},
	func(_ *testing.T, w *Wire, _ *sftp.Client) {
		_, _ = w.Exchange(OpenNew("f", 0o600), WriteAt(0, []byte("text")), SetTimes(1, 1), Fstat(), CloseHandle(), Lstat("g"))
	},
	func(_ *testing.T, w *Wire, _ *sftp.Client) { _, _ = w.Exchange(Mkdir("d", 0o700), Lstat("d")) },
	func(_ *testing.T, w *Wire, _ *sftp.Client) { _ = w.Enqueue(func(int, Reply) {}, AskLimits()) },
}
