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
			found, err := anyRecord(bytes.NewReader(b), 0, int64(len(b)), scanBudget)
			require.NoError(t, err)
			require.True(t, found, "at %d", at)

			found, err = anyRecord(bytes.NewReader(b), 0, int64(len(b)-1), scanBudget)
			require.NoError(t, err)
			require.False(t, found, "cut short, at %d", at)
		}
	}
	b := append([]byte{0xff}, long...)
	found, err := anyRecord(bytes.NewReader(b), 0, int64(len(b)), scanBudget)
	require.NoError(t, err)
	require.True(t, found)
	found, err = anyRecord(bytes.NewReader(b), 2, int64(len(b)), scanBudget)
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

// repeated is a file that repeats a pattern without end. It counts what is read of it.
type repeated struct {
	pattern []byte
	read    int64
}

func (r *repeated) ReadAt(b []byte, off int64) (int, error) {
	first := int(off % int64(len(r.pattern)))
	for n := copy(b, r.pattern[first:]); n < len(b); {
		n += copy(b[n:], r.pattern)
	}
	r.read += int64(len(b))
	return len(b), nil
}

// However long a log is that holds no records, looking for one comes to an end, and says that there may be one.
func TestScanHasABudget(t *testing.T) {
	t.Parallel()
	const budget = 8 << 20
	for _, pattern := range [][]byte{
		make([]byte, 1<<16),
		bytes.Repeat([]byte{0xff}, 1<<16),
		{0, 0, 0, 0, 0xff},
		{1, 0, 0, 0, 0xff, 0xff},
		{8, 0, 0, 0, 0xff, 0xff, 0xff, 0xff},
		{0, 0, 1, 0, 0xff, 0xff},
		{0xff, 0xff, 0xff, 3},
	} {
		r := &repeated{pattern: pattern}
		found, err := anyRecord(r, 1, 1<<50, budget)
		require.NoError(t, err)
		require.True(t, found)
		require.Less(t, r.read, int64(2*budget+MaxRecord))
	}
}
