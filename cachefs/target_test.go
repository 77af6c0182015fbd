package cachefs

import (
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"
)

// linked is a remote where d/l is a link.
type linked struct {
	afero.Fs
	target string
}

func (l linked) ReadlinkIfPossible(string) (string, error) { return l.target, nil }

func (l linked) LstatIfPossible(name string) (fs.FileInfo, bool, error) {
	if strings.HasSuffix(name, "d/l") {
		return aLink{}, true, nil
	}
	fi, err := l.Stat(name)
	return fi, true, err
}

func (l linked) ReadDir(name string) ([]fs.FileInfo, error) {
	infos, err := afero.ReadDir(l.Fs, name)
	if strings.HasSuffix(name, "d") {
		infos = append(infos, aLink{})
	}
	return infos, err
}

type aLink struct{}

func (aLink) Name() string       { return "l" }
func (aLink) Size() int64        { return 1 }
func (aLink) Mode() fs.FileMode  { return fs.ModeSymlink | 0o777 }
func (aLink) ModTime() time.Time { return time.Unix(1e9, 0) }
func (aLink) IsDir() bool        { return false }
func (aLink) Sys() any           { return nil }

// What no link leads to is not kept, and not followed.
func TestHostileTargets(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		target string
		bad    bool
	}{
		{"f", false}, {"./f", false}, {"/d/f", false}, {"../../../d/f", false}, {strings.Repeat("../", 1364) + "d/f", false},
		{"f\x00", true}, {strings.Repeat("./", 2047) + "ff", true}, {strings.Repeat("x", 1<<20), true},
	} {
		base := afero.NewMemMapFs()
		put(t, base, "/d/f", "content", time.Unix(1e9, 0))
		fsys, err := New(linked{base, c.target}, afero.NewBasePathFs(afero.NewOsFs(), t.TempDir()), nil)
		require.NoError(t, err)
		b, err := afero.ReadFile(fsys, "d/l")
		_, lerr := afero.ReadDir(fsys, "d")
		if c.bad {
			require.ErrorIs(t, err, fs.ErrInvalid, "%.9q", c.target)
			require.ErrorIs(t, lerr, fs.ErrInvalid, "%.9q", c.target)
			require.Less(t, len(err.Error()), 200)
		} else {
			require.NoError(t, err, "%.9q", c.target)
			require.NoError(t, lerr)
			require.Equal(t, "content", string(b))
		}
		require.NoError(t, fsys.Close())
	}
}
