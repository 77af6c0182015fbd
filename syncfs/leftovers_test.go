package syncfs

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

const theirPart, theirOldPart = ".syncfs-0123456789abcdef.part", ".syncfs-X.part"

// leaves puts a temporary file of another client on the remote, of some age by its clock.
func (r *rig) leaves(name string, age time.Duration) {
	r.serve(name + ":theirs")
	at := time.Now().Add(-age)
	require.NoError(r, r.remote.Chtimes(name, at, at))
}

// Temporary files that other clients have left in a directory are swept with it if they are older than a day, by the
// server's clock; younger ones are named. Neither of them says anything about the directory beside it.
func TestLeftoversOfOthers(t *testing.T) {
	t.Parallel()
	for name, clock := range map[string]time.Duration{"right": 0, "three days fast": 72 * time.Hour, "three days slow": -72 * time.Hour} {
		for _, change := range []string{"remove", "file", "cycle"} {
			t.Run(name+"/"+change, func(t *testing.T) {
				t.Parallel()
				opts := &Options{}
				opts.Cache.Now = func() time.Time { return time.Now().Add(clock) }
				r := newRig(t, opts)
				r.serve("d/a", "d/e/b", "other/x")
				r.leaves("other/"+theirPart, time.Hour)
				switch change {
				case "cycle": // the file takes the place of its directory
					require.NoError(t, r.fs.Rename("d/a", "t"))
					require.NoError(t, r.fs.RemoveAll("d"))
					require.NoError(t, r.fs.Rename("t", "d"))
				default:
					require.NoError(t, r.fs.RemoveAll("d"))
				}
				if change == "file" {
					r.write("d:now a file")
				}
				require.NoError(t, r.fs.Rename("other", "moved"))
				r.leaves("d/"+theirPart, 23*time.Hour)
				r.leaves("d/"+theirOldPart, 25*time.Hour)
				r.leaves("d/e/"+theirOldPart, 25*time.Hour)
				if change != "cycle" {
					r.leaves("d/e/.syncfs-old", 25*time.Hour)
				}

				for range 2 {
					_, err := r.push()
					require.ErrorIs(t, err, syscall.ENOTEMPTY)
					require.NotErrorIs(t, err, ErrConflict)
					require.ErrorContains(t, err, "push remove d:")
					require.ErrorContains(t, err, theirPart)
					require.NotContains(t, err.Error(), theirOldPart)
					require.ErrorContains(t, err, time.Now().UTC().Add(time.Hour).Format(time.DateOnly))
					require.Contains(t, r.pending(), "remove d")
					require.Equal(t, "theirs", r.remoteText("d/"+theirPart))
					if change == "cycle" { // nothing was moved
						require.Equal(t, "d/a", r.remoteText("d/a"))
						require.Equal(t, "theirs", r.remoteText("d/e/"+theirOldPart))
					} else {
						_, err := r.remote.Stat("d/e")
						require.Error(t, err)
					}
					require.Equal(t, "theirs", r.remoteText("moved/"+theirPart))
					r.restart()
				}

				at := time.Now().Add(-25 * time.Hour)
				require.NoError(t, r.remote.Chtimes("d/"+theirPart, at, at))
				_, err := r.push()
				require.NoError(t, err)
				r.queued()
				want := map[string][]string{"remove": nil, "file": {"d:now a file"}, "cycle": {"d:d/a"}}[change]
				r.has(r.served(), append(want, "moved/", "moved/x:other/x", "moved/"+theirPart+":theirs")...)
			})
		}
	}
}

func (r *rig) remoteText(name string) string {
	r.Helper()
	return r.served()[name].Content
}

// What bears such a name and is no file is not deleted.
func TestForeignStateIsNotSwept(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"d/.syncfs/log", "d/.syncfs-dir/in"} {
		r := newRig(t, nil)
		r.serve("d/a")
		require.NoError(t, r.fs.RemoveAll("d"))
		r.leaves(name, 1000*time.Hour)
		_, err := r.push()
		require.ErrorIs(t, err, syscall.ENOTEMPTY)
		require.ErrorContains(t, err, "by hand")
		require.Equal(t, "theirs", r.remoteText(name))
	}
}

// The server's clock is asked once in a Push, and only if that is needed. Whatever fails, the next push ends it, and
// nothing of this client is left.
func TestServerClock(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("d/a", "e/b", "f/c")
	for _, dir := range []string{"d", "e", "f"} {
		require.NoError(t, r.fs.RemoveAll(dir))
	}
	r.leaves("d/"+theirPart, 25*time.Hour)
	r.leaves("e/"+theirPart, 25*time.Hour)
	made := r.plan.Count(faultfs.Open)
	_, err := r.push()
	require.NoError(t, err)
	r.has(r.served())
	require.Equal(t, 1+3, r.plan.Count(faultfs.Open)-made, "one file, and three lists")

	faultfs.EachIndex(t, func(t *testing.T, p *faultfs.Plan) {
		r := newRig(t, nil)
		r.serve("d/a")
		require.NoError(t, r.fs.RemoveAll("d"))
		r.leaves("d/"+theirPart, 25*time.Hour)
		require.NoError(t, r.fs.Close())
		r.plan = p
		r.start()
		_, err := r.push()
		p.Heal()
		if err != nil {
			r.restart()
		}
		r.pushes()
		r.has(r.served())
	}, faultfs.Fault{}, faultfs.Fault{Effect: faultfs.Whole}, faultfs.Fault{Sticky: true})
}

// Temporary files of this client are forgotten with its record, and recognised like those of others.
func TestOwnLeftoversWithoutARecord(t *testing.T) {
	t.Parallel()
	for _, old := range []bool{false, true} {
		t.Run(fmt.Sprint("old ", old), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.serve("d/a")
			r.write("d/f:" + bulk(1, 2.5))
			r.cutAfter(1.5 * block)
			r.fails(ErrUnavailable)
			r.plan.Heal()
			require.NoError(t, r.fs.Close())
			require.NoError(t, r.local.Remove(".syncfs/log"))
			require.NoError(t, r.local.Remove("d/f"))
			r.start()
			require.NoError(t, r.fs.RemoveAll("d"))
			if !old {
				_, err := r.push()
				require.ErrorIs(t, err, syscall.ENOTEMPTY)
				return
			}
			at, swept := time.Now().Add(-25*time.Hour), 0
			for name := range r.served() {
				if strings.HasPrefix(name, "d/.syncfs-") {
					require.NoError(t, r.remote.Chtimes(name, at, at))
					swept++
				}
			}
			require.Equal(t, 1, swept)
			_, err := r.push()
			require.NoError(t, err)
			r.has(r.served())
		})
	}
}
