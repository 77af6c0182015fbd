package wire

import (
	"errors"
	"io"
	"io/fs"
	"math"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wiretest"
)

// replyOf is the reply that this packet is.
func replyOf(packet []byte) Reply { return Reply{kind: packet[4], body: packet[headerSize:]} }

func TestReplies(t *testing.T) {
	t.Parallel()
	h, err := replyOf(wiretest.Packet(wiretest.Handle, 1, "hdl")).Handle()
	require.NoError(t, err)
	require.Equal(t, "hdl", h)

	data, err := replyOf(wiretest.Packet(wiretest.Data, 1, "content")).Data()
	require.NoError(t, err)
	require.Equal(t, "content", string(data))

	extended := wiretest.Packet(wiretest.Attrs, 1, uint32(1|2|4|8|1<<31), uint64(7), uint32(10), uint32(11), uint32(0o120777),
		uint32(5), uint32(6), uint32(1), "name", "value")
	fi, err := replyOf(extended).Info("f")
	require.NoError(t, err)
	require.Equal(t, "f", fi.Name())
	require.EqualValues(t, 7, fi.Size())
	require.Equal(t, fs.ModeSymlink|0o777, fi.Mode())
	require.Equal(t, time.Unix(6, 0), fi.ModTime())
	require.False(t, fi.IsDir())
	require.Equal(t, &sftp.FileStat{Size: 7, UID: 10, GID: 11, Mode: 0o120777, Atime: 5, Mtime: 6}, fi.Sys())

	entries, err := replyOf(wiretest.NamesPacket(1, ".", "a", "..", "b")).Entries()
	require.NoError(t, err)
	require.Len(t, entries, 2)
	require.Equal(t, "a", entries[0].Name())
	require.Equal(t, "b", entries[1].Name())
	_, err = replyOf(wiretest.StatusPacket(1, wiretest.EOF)).Entries()
	require.Equal(t, io.EOF, err)
	bad := errors.New("bad")
	_, err = Reply{kind: packetName, bad: bad}.Entries()
	require.Equal(t, bad, err)

	require.NoError(t, replyOf(wiretest.StatusPacket(1, wiretest.OK)).Done())
	require.True(t, replyOf(wiretest.StatusPacket(1, wiretest.Failure)).Is(StatusFailure))
	require.False(t, replyOf(wiretest.Packet(wiretest.Attrs, 1, uint32(StatusFailure))).Is(StatusFailure))

	limits := wiretest.Packet(wiretest.ExtendedReply, 1, uint64(1<<18), uint64(261120), uint64(math.MaxUint64), uint64(1019))
	l, err := replyOf(limits).Limits()
	require.NoError(t, err)
	require.Equal(t, Limits{Read: 261120, Files: 1019}, l, "no server takes that much at a time")
}

// Any other answer than the one that is hoped for, or a part of it, means that the ordinary requests are to be sent.
func TestUnexpectedReplies(t *testing.T) {
	t.Parallel()
	read := map[string]func(Reply) error{
		"done":    Reply.Done,
		"handle":  func(r Reply) error { _, err := r.Handle(); return err },
		"data":    func(r Reply) error { _, err := r.Data(); return err },
		"info":    func(r Reply) error { _, err := r.Info("f"); return err },
		"entries": func(r Reply) error { _, err := r.Entries(); return err },
		"limits":  func(r Reply) error { _, err := r.Limits(); return err },
	}
	for name, packet := range map[string][]byte{
		"done":    wiretest.Packet(wiretest.Status, 1),
		"handle":  wiretest.Packet(wiretest.Handle, 1, uint32(9), []byte("x")),
		"data":    wiretest.Packet(wiretest.Data, 1, uint32(math.MaxUint32), []byte("x")),
		"info":    wiretest.Packet(wiretest.Attrs, 1, uint32(1), uint32(1)),
		"entries": wiretest.Packet(wiretest.Name, 1),
		"limits":  wiretest.Packet(wiretest.ExtendedReply, 1, uint64(1)),
	} {
		require.ErrorIs(t, read[name](replyOf(packet)), errors.ErrUnsupported, "%s cut short", name)
		refused := read[name](replyOf(wiretest.StatusPacket(1, 3)))
		require.ErrorIs(t, refused, errors.ErrUnsupported, name)
		require.ErrorContains(t, refused, "refuses with status 3", name)
		require.ErrorContains(t, read[name](Reply{kind: 250}), "packet of type 250", name)
	}
	_, err := replyOf(wiretest.Packet(wiretest.Name, 1, uint32(2), "a", "", uint32(0))).Entries()
	require.ErrorIs(t, err, errMalformed, "there is only one")
}

// A size that no file can have is an answer that cannot be meant, wherever it stands.
func TestNegativeSizes(t *testing.T) {
	t.Parallel()
	attrs := wiretest.AttrsOf(math.MaxUint64, 0o100644, 1)
	_, err := replyOf(wiretest.Packet(wiretest.Attrs, 1, attrs)).Info("f")
	require.ErrorIs(t, err, fs.ErrInvalid)
	require.ErrorContains(t, err, "a size of -1")
	_, err = replyOf(wiretest.Packet(wiretest.Name, 1, uint32(1), "f", "", attrs)).Entries()
	require.ErrorAs(t, err, new(BadAnswer))
}
