package mirror

import (
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/remote"
)

func TestAtOnce(t *testing.T) {
	t.Parallel()
	require.EqualValues(t, 2048, atOnce(1<<20))
	require.EqualValues(t, 256, atOnce(1024), "with the limit that many systems have by default")
	require.EqualValues(t, 16, atOnce(20))
}

type near struct{ afero.Fs }

func (near) RoundTrip() time.Duration { return time.Microsecond }

func TestWorthwhile(t *testing.T) {
	t.Parallel()
	require.EqualValues(t, 2048, worthwhile(0), "not known")
	require.EqualValues(t, 64, worthwhile(1))
	require.EqualValues(t, 80, worthwhile(time.Millisecond))
	require.EqualValues(t, 1600, worthwhile(20*time.Millisecond))
	require.EqualValues(t, 2048, worthwhile(time.Hour))
}

type counting struct {
	afero.Fs
	expected int
}

func (c *counting) Expect(calls int) { c.expected = calls }

// Further channels are made ready for large files where they help.
func TestExpectBytes(t *testing.T) {
	t.Parallel()
	base := &counting{}
	m := &FS{state: &state{}, remote: remote.New(t.Context(), base)}
	m.ExpectBytes(8 << 20)
	require.Equal(t, 32, base.expected)
	m.ExpectBytes(1 << 62)
	require.EqualValues(t, m.Capacity(), base.expected)
}

func TestWeight(t *testing.T) {
	t.Parallel()
	m := &FS{state: &state{}, remote: remote.New(t.Context(), afero.NewMemMapFs())}
	capacity := m.Capacity()
	require.EqualValues(t, 1, m.Weight(0))
	require.EqualValues(t, 1, m.Weight(4<<10))
	require.EqualValues(t, largeAtOnce, capacity/m.Weight(1<<40))
	for _, size := range []int64{1 << 10, 20 << 10, 64 << 10, 1 << 20} {
		require.LessOrEqual(t, capacity/m.Weight(size)*size, int64(32<<20), "bytes of files that are held at once")
	}

	m.remote = remote.New(t.Context(), near{})
	require.EqualValues(t, leastAtOnce, capacity/m.Weight(0), "as many as are worthwhile")
	require.EqualValues(t, largeAtOnce, capacity/m.Weight(1<<40))

	m.opt.Parallel = 3
	require.EqualValues(t, 3, m.Capacity())
	require.EqualValues(t, 1, m.Weight(1<<40))
}
