package statelog

import (
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// FuzzOpen opens good records with anything behind them: they are never lost, whatever that is, and what Open makes
// of it is stable.
func FuzzOpen(f *testing.F) {
	f.Add([]byte("one"), []byte("two"), []byte{})
	f.Add([]byte(""), []byte("x"), make([]byte, 20))
	f.Add([]byte("a"), []byte("b"), appendRecord([]byte("torn"), []byte("whole")))
	f.Add([]byte("a"), []byte("b"), appendRecord(nil, []byte("whole")))
	f.Add([]byte("a"), []byte("b"), []byte{0xff, 0xff, 0xff, 0x03, 1, 2, 3, 4, 5})
	f.Fuzz(func(t *testing.T, one, two, tail []byte) {
		d, err := localdir.Open(afero.NewMemMapFs())
		require.NoError(t, err)
		defer d.Close()
		file := append(encode(string(one), string(two)), tail...)
		put(t, d, logName, file)
		l, damage, records := reopen(t, d)
		require.GreaterOrEqual(t, len(records), 2)
		require.Equal(t, []string{string(one), string(two)}, records[:2])
		if damage != nil {
			require.Equal(t, file, get(t, d, damage.File))
			require.Len(t, records, damage.Records)
			require.Equal(t, l.Size(), damage.Offset)
		}
		require.Equal(t, encode(records...), get(t, d, logName)[:l.Size()])
		require.NoError(t, l.Append([]byte("next")))
		require.NoError(t, l.Close())
		require.Equal(t, append(records, "next"), contents(t, d))

		// Anything at all.
		put(t, d, logName, tail)
		l, _, err = Open(d, logName, func([]byte) error { return nil })
		if err != nil {
			require.ErrorIs(t, err, ErrVersion)
			return
		}
		require.NoError(t, l.Close())
	})
}
