package statelog

import (
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

// TestModel compares a log with a slice.
func TestModel(t *testing.T) {
	t.Parallel()
	payload := rapid.OneOf(
		rapid.StringOfN(rapid.Rune(), 0, 20, -1),
		rapid.Map(rapid.IntRange(0, 3*bufSize/2), func(n int) string { return string(make([]byte, n)) }),
		rapid.Map(rapid.String(), func(s string) string { return string(appendRecord(nil, []byte(s))) }),
	)
	rapid.Check(t, func(t *rapid.T) {
		d, err := localdir.Open(afero.NewMemMapFs())
		require.NoError(t, err)
		defer d.Close()
		l, _, _ := reopen(t, d)
		defer func() { l.Close() }()
		var want []string
		check := func() {
			var damage *Damage
			var got []string
			l, damage, got = reopen(t, d)
			require.Nil(t, damage)
			require.Equal(t, want, got)
		}
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				p := payload.Draw(t, "payload")
				appendAll(t, l, p)
				want = append(want, p)
			},
			"sync": func(t *rapid.T) { require.NoError(t, l.Sync()) },
			"rewrite": func(t *rapid.T) {
				want = rapid.SliceOfN(payload, 0, 5).Draw(t, "records")
				if len(want) == 0 {
					want = nil
				}
				require.NoError(t, l.Rewrite(l.Size(), values(want)))
			},
			"close": func(*rapid.T) {
				require.NoError(t, l.Close())
				check()
			},
			"die": func(*rapid.T) {
				drop(l)
				check()
			},
			"die while appending": func(t *rapid.T) {
				size := l.Size()
				drop(l)
				torn := appendRecord(nil, []byte(rapid.String().Draw(t, "torn")))
				torn = torn[:rapid.IntRange(0, len(torn)-1).Draw(t, "length")]
				put(t, d, logName, append(get(t, d, logName)[:size], torn...))
				check()
			},
			"": func(t *rapid.T) { require.EqualValues(t, len(encode(want...)), l.Size()) },
		})
	})
}
