package syncfs

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// identified is a remote that says which one it is.
type identified struct {
	afero.Fs
	identity string
}

func (i identified) Identity() string { return i.identity }

// A local directory is used for one remote, unless the options say that it is to be taken over.
func TestRemoteChanged(t *testing.T) {
	t.Parallel()
	for kind, open := range map[string]func(remote, local afero.Fs, o cachefs.Options) (afero.Fs, error){
		"syncfs": func(remote, local afero.Fs, o cachefs.Options) (afero.Fs, error) {
			s, err := New(remote, local, &Options{Cache: o, RetryFor: -1})
			return s, err
		},
		"cachefs": func(remote, local afero.Fs, o cachefs.Options) (afero.Fs, error) {
			c, err := cachefs.New(remote, local, &o)
			return c, err
		},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			local := realDir(t)
			old, other := afero.NewMemMapFs(), afero.NewMemMapFs()
			require.NoError(t, afero.WriteFile(old, "/f", []byte("old"), 0o644))
			require.NoError(t, afero.WriteFile(other, "/f", []byte("other"), 0o644))
			reads := func(remote afero.Fs, o cachefs.Options, want string) {
				t.Helper()
				fsys, err := open(remote, local, o)
				require.NoError(t, err)
				got, err := afero.ReadFile(fsys, "f")
				require.NoError(t, err)
				require.Equal(t, want, string(got))
				require.NoError(t, fsys.(interface{ Close() error }).Close())
			}
			refused := func(given string) {
				t.Helper()
				plan := new(faultfs.Plan)
				_, err := open(identified{faultfs.New(other, plan), given}, local, cachefs.Options{})
				require.ErrorIs(t, err, ErrRemoteChanged)
				require.ErrorIs(t, err, cachefs.ErrRemoteChanged)
				var changed *cachefs.RemoteChangedError
				require.ErrorAs(t, err, &changed)
				require.Equal(t, cachefs.RemoteChangedError{Recorded: "sftp://a/old", Given: given}, *changed)
				require.ErrorContains(t, err, "sftp://a/old")
				require.ErrorContains(t, err, given)
				require.Zero(t, plan.Total())
			}
			reads(old, cachefs.Options{}, "old") // nothing is recorded
			reads(identified{old, "sftp://a/old"}, cachefs.Options{}, "old")
			reads(identified{old, "sftp://a/old"}, cachefs.Options{}, "old")
			refused("sftp://a/other")
			refused("sftp://b/old")
			reads(old, cachefs.Options{}, "old") // not told
			refused("sftp://b/old")
			reads(identified{old, "sftp://a/old"}, cachefs.Options{}, "old")
			require.NoError(t, local.Remove(logFile)) // the log is not needed for that
			refused("sftp://b/old")
			require.NoError(t, local.Remove("f"))
			reads(identified{old, "sftp://a/old"}, cachefs.Options{}, "old")

			reads(identified{other, "sftp://b/other"}, cachefs.Options{AdoptRemote: true}, "other")
			reads(identified{other, "sftp://b/other"}, cachefs.Options{}, "other")
			_, err := open(identified{old, "sftp://a/old"}, local, cachefs.Options{})
			require.ErrorIs(t, err, ErrRemoteChanged)
		})
	}
}

// The queue of another remote is not pushed; when that is taken over, it meets what is there.
func TestRemoteChangedWithQueue(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("f:one", "g")
	require.NoError(t, r.fs.Close())
	r.startOn(identified{r.remote, "a"}, nil)
	r.append("f", "+")
	require.NoError(t, r.fs.Remove("g"))
	require.NoError(t, r.fs.Close())
	other := afero.NewMemMapFs()
	require.NoError(t, afero.WriteFile(other, "/f", []byte("another"), 0o644))
	require.NoError(t, afero.WriteFile(other, "/g", []byte("another"), 0o644))
	_, err := New(identified{other, "b"}, r.local, nil)
	require.ErrorIs(t, err, ErrRemoteChanged)
	opts := &Options{}
	opts.Cache.AdoptRemote = true
	r.startOn(identified{other, "b"}, opts)
	r.queued("put f", "remove g")
	r.fails(ErrConflict)
	for _, name := range []string{"f", "g"} {
		got, err := afero.ReadFile(other, "/"+name)
		require.NoError(t, err)
		require.Equal(t, "another", string(got))
	}
}

func (r *rig) startOn(remote afero.Fs, opts *Options) {
	r.Helper()
	s, err := New(remote, r.local, trying(opts))
	require.NoError(r, err)
	r.fs = s
}

// An identity that could not be read back as it is, is refused at once, and not the next time.
func TestIdentityThatIsNoText(t *testing.T) {
	t.Parallel()
	for identity, ok := range map[string]bool{
		"sftp://a/x\n\x1b[31m\"": true, strings.Repeat("x", 64<<10): true,
		"sftp://a/\xff": false, strings.Repeat("x", 64<<10+1): false, strings.Repeat("x", 2<<20): false,
	} {
		local := realDir(t)
		for range 2 {
			s, err := New(identified{afero.NewMemMapFs(), identity}, local, nil)
			if !ok {
				require.ErrorIs(t, err, fs.ErrInvalid)
				require.Less(t, len(err.Error()), 200)
				continue
			}
			require.NoError(t, err)
			require.NoError(t, s.Close())
		}
	}
}
