package statelog

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAnyRecord puts a record at every place around the edges of what is read at a time, and cuts it short.
func TestAnyRecord(t *testing.T) {
	t.Parallel()
	record := appendRecord(nil, []byte("payload"))
	long := appendRecord(nil, make([]byte, 3*bufSize))
	for _, edge := range []int{10, bufSize} {
		for at := edge - 10; at <= edge+2; at++ {
			b := append(bytes.Repeat([]byte{0xff}, at), record...)
			found, err := anyRecord(bytes.NewReader(b), 0, int64(len(b)))
			require.NoError(t, err)
			require.True(t, found, "at %d", at)

			found, err = anyRecord(bytes.NewReader(b), 0, int64(len(b)-1))
			require.NoError(t, err)
			require.False(t, found, "cut short, at %d", at)
		}
	}
	b := append([]byte{0xff}, long...)
	found, err := anyRecord(bytes.NewReader(b), 0, int64(len(b)))
	require.NoError(t, err)
	require.True(t, found)
	found, err = anyRecord(bytes.NewReader(b), 2, int64(len(b)))
	require.NoError(t, err)
	require.False(t, found, "zeros are no record")
}

// TestFits checks that a length is never believed beyond the limit or the file.
func TestFits(t *testing.T) {
	t.Parallel()
	require.True(t, fits(MaxRecord, MaxRecord))
	require.False(t, fits(MaxRecord, MaxRecord-1))
	require.False(t, fits(MaxRecord+1, 1<<40))
}
