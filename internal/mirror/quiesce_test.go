package mirror

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A file whose time this side is about to set is not opened on the remote before that is done: what was read until then would
// count as another version's.
func TestOpenWaitsForAnotherVersion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		remote := afero.NewMemMapFs()
		require.NoError(t, afero.WriteFile(remote, "f", []byte("text"), 0o644))
		m, err := Open(remote, afero.NewMemMapFs(), Options{})
		require.NoError(t, err)
		defer func() { require.NoError(t, m.Close()) }()
		set, altered := make(chan struct{}), make(chan error)
		go func() {
			altered <- m.Alter(func() error {
				<-set
				return remote.Chtimes("f", time.Unix(1, 0), time.Unix(1, 0))
			}, "f")
		}()
		synctest.Wait()
		text := make(chan string)
		go func() {
			got, err := readAll(m, "/f")
			assert.NoError(t, err)
			text <- string(got)
		}()
		synctest.Wait()
		m.mu.Lock()
		a := m.joinable[m.tree.Root().Kid("f").ID]
		m.mu.Unlock()
		require.NotNil(t, a)
		require.False(t, a.Opened.Happened())
		close(set)
		require.NoError(t, <-altered)
		require.Equal(t, "text", <-text)
		meta, _ := a.Version()
		require.Equal(t, time.Unix(1, 0).UnixNano(), meta.MTime)
	})
}

func readAll(m *FS, name string) ([]byte, error) {
	f, err := m.OpenRead(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}
