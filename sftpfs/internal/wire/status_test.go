package wire

import (
	"errors"
	"io"
	"io/fs"
	"testing"

	"github.com/pkg/sftp"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/sftpfs/internal/wiretest"
)

// Code and message of a refusal are found in the errors of pkg/sftp, and in a Reply.
func TestStatusOf(t *testing.T) {
	t.Parallel()
	for code, want := range map[uint32]uint32{
		StatusNoSuchFile: StatusNoSuchFile, StatusPermissionDenied: StatusPermissionDenied, StatusFailure: StatusFailure, 8: 8, 100: 100,
		StatusEOF: StatusFailure, firstWorded + StatusNoSuchFile: StatusFailure, firstLocalStatus: StatusFailure, 1<<32 - 1: StatusFailure,
	} {
		for _, message := range []string{"", "plain", "\\ and \" and \x00\xff", `" (SSH_FX_OK)`} {
			w, client := start(t, always(wiretest.Packet(wiretest.Status, 0, code, message, "")))
			_, err := client.Stat("f")
			status, ok := StatusOf(err)
			require.True(t, ok)
			require.Equal(t, Status{want, message}, status)
			require.NoError(t, w.LocalError(status.Code))

			replies, err := w.Exchange(Remove("f"))
			require.NoError(t, err)
			require.Equal(t, Status{code, message}, replies[0].Refusal())
			status, ok = StatusOf(&fs.PathError{Err: replies[0].Refusal()})
			require.True(t, ok)
			require.Equal(t, Status{code, message}, status)
		}
	}
	for err, want := range map[error]uint32{fs.ErrNotExist: StatusNoSuchFile, fs.ErrPermission: StatusPermissionDenied} {
		status, ok := StatusOf(err)
		require.True(t, ok)
		require.Equal(t, Status{Code: want}, status)
	}
	for _, err := range []error{io.EOF, io.ErrUnexpectedEOF, sftp.ErrSSHFxConnectionLost, errors.New("x"), BadAnswer("x")} {
		_, ok := StatusOf(err)
		require.False(t, ok, "%v", err)
	}
	require.NoError(t, replyOf(wiretest.StatusPacket(1, wiretest.OK)).Refusal())
	require.ErrorIs(t, replyOf(wiretest.Packet(wiretest.Handle, 1, "h")).Refusal(), errors.ErrUnsupported)
}
