package statelog

import (
	"fmt"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

// TestEveryFault runs one life of a log again and again, each time with the next changing call failing, once or from
// then on, until none is left to fail. Afterwards the log must hold what was acknowledged.
func TestEveryFault(t *testing.T) {
	t.Parallel()
	for _, forever := range []bool{false, true} {
		for n := 1; ; n++ {
			fsys := &faultyFs{Fs: afero.NewMemMapFs()}
			calls := 0
			d := openDir(t, fsys)
			fsys.set(func(op string) error {
				if op == "read" {
					return nil
				}
				if calls++; calls == n || forever && calls > n {
					return fmt.Errorf("%w: call %d, %s", errInjected, calls, op)
				}
				return nil
			})
			model := live(t, func() (*Log, error) {
				l, damage, err := Open(d, logName, func([]byte) error { return nil })
				require.Nil(t, damage)
				return l, err
			})
			fsys.set(nil)
			model.check(t, contents(t, d), n)
			require.LessOrEqual(t, len(files(t, d)), 2)
			if calls < n {
				require.Greater(t, n, 20)
				break
			}
		}
	}
}

// model is what a log may hold.
type model struct {
	records []string   // acknowledged
	unsure  []string   // appended after those with an error; each may be there
	other   [][]string // what the whole may be instead, after a rewrite that failed
}

// live is the life of TestEveryFault.
func live(t *testing.T, open func() (*Log, error)) *model {
	m := &model{}
	for generation := range 3 {
		l, err := open()
		if err != nil {
			require.ErrorIs(t, err, errInjected)
			continue
		}
		for i := range 4 {
			r := fmt.Sprintf("%d-%d", generation, i)
			if err := l.Append([]byte(r)); err != nil {
				require.ErrorIs(t, err, errInjected)
				m.unsure = append(m.unsure, r)
			} else {
				m.records = append(m.records, r)
			}
			if i == 1 && l.Sync() == nil {
				require.NotEmpty(t, m.records)
			}
			if i == 2 {
				compact := []string{fmt.Sprintf("compact %d", len(m.records)), r}
				if err := l.Rewrite(l.Size(), values(compact)); err != nil {
					require.ErrorIs(t, err, errInjected)
					m.other = append(m.other, compact)
				} else {
					*m = model{records: compact}
				}
			}
		}
		if err := l.Close(); err != nil {
			require.ErrorIs(t, err, errInjected)
		}
	}
	return m
}

// check compares got with m.
func (m *model) check(t *testing.T, got []string, n int) {
	t.Helper()
	bases := append([][]string{m.records}, m.other...)
	for _, base := range bases {
		if m.matches(got, base) {
			return
		}
	}
	require.Fail(t, "records lost", "fault %d: got %q\nacknowledged %q\nunsure %q\nother %q", n, got, m.records, m.unsure, m.other)
}

// matches reports whether got is base with some of the unsure records in between or behind; after a rewrite that
// failed late, what was acknowledged later follows.
func (m *model) matches(got, base []string) bool {
	unsure := make(map[string]bool)
	for _, u := range m.unsure {
		unsure[u] = true
	}
	i := 0
	for _, g := range got {
		if i < len(base) && g == base[i] {
			i++
		} else if !unsure[g] {
			return false
		}
	}
	return i == len(base)
}
