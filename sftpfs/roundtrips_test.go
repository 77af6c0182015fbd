package sftpfs_test

import (
	"os"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/link"
	"github.com/sftpsyncer/go-syncfs/internal/opensshtest"
	"github.com/sftpsyncer/go-syncfs/sftpfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

// What connecting costs on a long line. TCP takes one round trip more, which the link does not delay. Six are for SSH:
//
//	its versions, with which the server's part of the key exchange comes
//	the keys
//	the service of authentication
//	"none", which x/crypto always tries first
//	whether the key would do, which it asks before it signs
//	the signature
//
// and these for the session:
//
//	the channel
//	the subsystem, before whose answer OpenSSH lets nothing be sent
//	the versions of SFTP, but not on OpenSSH, where the call goes on meanwhile
//	the login directory, only for a root that is relative to it
//
// One is for the call itself.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config  func(testing.TB) sftpfs.Config
		session int
	}{
		"package sftptest": {embeddedConfig, 3},
		"OpenSSH":          {stockConfig, 2},
	} {
		for root, resolving := range map[string]int{"/": 0, "": 1} {
			t.Run(name+", root "+root, func(t *testing.T) {
				t.Parallel()
				_, cfg := far(t, c.config(t), link.Options{RoundTrip: longLine})
				cfg.Root = root
				requireRoundTrips(t, 6+c.session+resolving+1, func() {
					_, err := newFs(t, cfg).Stat("/")
					require.NoError(t, err)
				})
			})
		}
	}
}

// Nothing depends on whether a file that was only read is closed; what was written may come to nothing then.
func TestClosingWhatWasReadTakesNoRoundTrip(t *testing.T) {
	t.Parallel()
	_, cfg := far(t, stockConfig(t), link.Options{RoundTrip: longLine})
	fsys := newFs(t, cfg)
	require.NoError(t, afero.WriteFile(fsys, "f", nil, 0o666))
	for flag, trips := range map[int]int{os.O_RDONLY: 1, os.O_WRONLY: 2} {
		requireRoundTrips(t, trips, func() {
			f, err := fsys.OpenFile("f", flag, 0)
			require.NoError(t, err)
			require.NoError(t, f.Close())
		})
	}
}

func embeddedConfig(t testing.TB) sftpfs.Config { return newServer(t, &sftptest.Options{}).Config() }

func stockConfig(t testing.TB) sftpfs.Config {
	return openSSHConfig(opensshtest.Start(t, opensshtest.Options{}))
}

const longLine = 250 * time.Millisecond

// requireRoundTrips wants f to take that many on a long line. Time is never shorter than they are, but may be longer for
// other reasons: then f is given another chance.
func requireRoundTrips(t *testing.T, want int, f func()) {
	t.Helper()
	for chance := 1; ; chance++ {
		began := time.Now()
		f()
		took := time.Since(began)
		if got := int(took / longLine); got <= want || chance == 5 {
			require.Equal(t, want, got, "%v", took)
			return
		}
	}
}
