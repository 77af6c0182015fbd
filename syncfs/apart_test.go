package syncfs

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/tree"
)

func TestApart(t *testing.T) {
	t.Parallel()
	const s = int64(time.Second)
	at := func(seconds int64) tree.Meta { return tree.Meta{Size: 4, MTime: seconds * s} }
	for _, c := range []struct {
		what  string
		now   int64
		mtime int64
		there []tree.Meta
		want  int64
	}{
		{"nothing there", 20 * s, 10 * s, nil, 10 * s},
		{"another size", 20 * s, 10 * s, []tree.Meta{{Size: 5, MTime: 10 * s}}, 10 * s},
		{"an earlier second", 20 * s, 10 * s, []tree.Meta{at(9)}, 10 * s},
		{"the same second", 20 * s, 10 * s, []tree.Meta{at(10)}, 11 * s},
		{"the same second, a fraction here", 20 * s, 10*s + 7, []tree.Meta{at(10)}, 11*s + 7},
		{"the same second, a fraction there", 20 * s, 10 * s, []tree.Meta{{Size: 4, MTime: 10*s + 7}}, 11 * s},
		{"given a later time before", 20 * s, 10 * s, []tree.Meta{at(12)}, 13 * s},
		{"two", 20 * s, 10 * s, []tree.Meta{at(11), at(10)}, 12 * s},
		{"two, in the other order", 20 * s, 10 * s, []tree.Meta{at(10), at(11)}, 12 * s},
		{"put back on purpose", 20 * s, 10 * s, []tree.Meta{at(10 + 3600)}, 10 * s},
		{"old, the same second", 10*s + 3600*s, 10 * s, []tree.Meta{at(10)}, 11 * s},
		{"old, a later second", 10*s + 3600*s, 10 * s, []tree.Meta{at(12)}, 10 * s},
		{"before 1970", 0, -10*s - 1, []tree.Meta{at(-11)}, -9*s - 1},
	} {
		require.Equal(t, c.want, apart(c.now, c.mtime, 4, c.there...), c.what)
	}
}

// standing is a rig in memory. In a bubble of synctest, its clock stands still.
func standing(t *testing.T, remote afero.Fs, opts *Options) *rig {
	r := &rig{TB: t, remote: remote, plan: new(faultfs.Plan), local: afero.NewMemMapFs(), opts: opts}
	r.start()
	t.Cleanup(r.end)
	return r
}

// inMemory is a remote in memory that takes names with and without a slash at the beginning.
func inMemory() afero.Fs { return afero.NewBasePathFs(afero.NewMemMapFs(), "/") }

// What is saved several times in one second, at the same size, is another version for other clients each time.
func TestSavesInOneSecond(t *testing.T) {
	t.Parallel()
	for name, save := range map[string]func(r *rig, content string){
		"write": func(r *rig, content string) { r.write("f:" + content) },
		"write and rename": func(r *rig, content string) {
			r.write("t:" + content)
			require.NoError(r, r.fs.Rename("t", "f"))
		},
		"remove and make": func(r *rig, content string) {
			_ = r.fs.Remove("f")
			r.write("f:" + content)
		},
		"add": func(r *rig, content string) {
			r.place("f:" + content)
			require.NoError(r, r.fs.Add("f"))
		},
		"push, then rename over": func(r *rig, content string) {
			r.write("t:" + content)
			r.pushes()
			require.NoError(r, r.fs.Rename("t", "f"))
		},
		"in parts": func(r *rig, content string) {
			r.write("f:" + content[:2])
			r.append("f", content[2:])
		},
	} {
		for _, restarts := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/restarts %v", name, restarts), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { saveSixTimes(t, save, restarts) })
			})
		}
	}
}

func saveSixTimes(t *testing.T, save func(*rig, string), restarts bool) {
	r, began := standing(t, inMemory(), nil), time.Now()
	others := make([]*rig, 6) // each has seen another version
	seen := map[int64]bool{}
	for i := range others {
		save(r, fmt.Sprintf("%04d", i))
		r.pushes()
		fi, err := r.remote.Stat("f")
		require.NoError(t, err)
		require.False(t, seen[fi.ModTime().Unix()], "version %d has the time of an earlier one", i)
		seen[fi.ModTime().Unix()] = true
		require.LessOrEqual(t, fi.ModTime().Sub(began), time.Duration(len(seen))*2*time.Second)
		shown, err := r.fs.Stat("f")
		require.NoError(t, err)
		require.Equal(t, fi.ModTime().Unix(), shown.ModTime().Unix())
		if restarts {
			r.restart()
			again, err := r.fs.Stat("f")
			require.NoError(t, err)
			require.Equal(t, shown.ModTime(), again.ModTime())
		}
		others[i] = standing(t, r.remote, nil)
		others[i].fetch("f")
	}
	require.Equal(t, began, time.Now())
	for i, other := range others {
		other.reads("f", fmt.Sprintf("%04d", i))
		require.NoError(t, other.fs.Invalidate("/"))
		other.reads("f", "0005")
	}
}

// The edit of a client that has the first of two versions of one second is a conflict, and each way out leaves a version
// that all can tell.
func TestTwoClientsInOneSecond(t *testing.T) {
	t.Parallel()
	for _, policy := range []ConflictPolicy{Fail, Overwrite, KeepBoth} {
		synctest.Test(t, func(t *testing.T) {
			first := standing(t, inMemory(), nil)
			first.write("f:0001")
			first.pushes()
			second := standing(t, first.remote, &Options{Conflict: policy})
			third := standing(t, first.remote, nil)
			second.fetch("f")
			first.write("f:0002")
			first.pushes()
			third.fetch("f")
			second.write("f:ours")
			report, err := second.push()
			want := "0002"
			switch policy {
			case Fail:
				require.ErrorIs(t, err, ErrConflict)
			case Overwrite:
				require.NoError(t, err)
				want = "ours"
			case KeepBoth:
				require.NoError(t, err)
				second.holds(report.Results[0].Kept, "ours")
			}
			first.holds("f", want)
			require.NoError(t, third.fs.Invalidate("/"))
			third.reads("f", want)
		})
	}
}

// The time that the program sets by Chtimes is the file's, whatever it replaces.
func TestChtimesIsKept(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	at := time.Unix(1e9, 0)
	for i := range 3 {
		r.write(fmt.Sprintf("f:%04d", i))
		require.NoError(t, r.fs.Chtimes("f", at, at))
		if i == 1 {
			r.restart()
		}
		_, err := r.push()
		require.NoError(t, err)
		fi, err := r.remote.Stat("f")
		require.NoError(t, err)
		require.Equal(t, at, fi.ModTime())
	}
	// One that was put back with its time is not changed either, but where it would pass for what it replaces.
	r.write("g:0001")
	r.pushes()
	r.place("g:0002")
	require.NoError(t, r.local.Chtimes("g", at, at))
	require.NoError(t, r.fs.Add("g"))
	r.pushes()
	fi, err := r.remote.Stat("g")
	require.NoError(t, err)
	require.Equal(t, at, fi.ModTime())
}

// A file with an old time keeps it when it is renamed over one that is a little younger.
func TestRenameKeepsAnOldTime(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	old := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	r.serve("a:A", "b:B")
	require.NoError(t, r.remote.Chtimes("a", old, old))
	require.NoError(t, r.remote.Chtimes("b", old, old.Add(5*time.Second)))
	require.NoError(t, r.fs.Rename("a", "b"))
	r.pushes()
	for _, fsys := range []afero.Fs{r.fs, r.remote} {
		info, err := fsys.Stat("b")
		require.NoError(t, err)
		require.True(t, old.Equal(info.ModTime()), info.ModTime())
	}
}

// A remote that has fractions of a second is seen by others over SFTP, which has none.
func TestSavesInOneSecondWithFractions(t *testing.T) {
	t.Parallel()
	for name, remote := range map[string]afero.Fs{"memory": afero.NewMemMapFs(), "disk": aferotest.OS(t.TempDir())} {
		s := newFs(t, remote, realDir(t), nil)
		require.NoError(t, afero.WriteFile(remote, "f", []byte("0000"), 0o644))
		seconds := map[int64]bool{}
		for i := range 4 {
			require.NoError(t, afero.WriteFile(s, "f", fmt.Appendf(nil, "%04d", i), 0o644))
			_, err := s.Push(t.Context())
			require.NoError(t, err, name)
			fi, err := remote.Stat("f")
			require.NoError(t, err)
			require.False(t, seconds[fi.ModTime().Unix()], name)
			seconds[fi.ModTime().Unix()] = true
		}
	}
}

// An upload that was cut off and goes on gets a time of its own, too.
func TestResumedSaveInOneSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := standing(t, inMemory(), nil)
		r.write("f:" + bulk(1, 3))
		r.pushes()
		before, err := r.remote.Stat("f")
		require.NoError(t, err)
		first := before.ModTime().Unix() // of what is live
		r.write("f:" + bulk(2, 3))
		cut := 0
		r.plan.Before(func(op faultfs.Op) error {
			if op.Kind == faultfs.Chtimes || op.Kind == faultfs.Rename {
				if cut++; cut < 3 {
					return errDown
				}
			}
			return nil
		})
		for range 3 {
			if _, err := r.push(); err == nil {
				break
			}
			r.restart()
		}
		r.plan.Heal()
		r.pushes()
		r.holds("f", bulk(2, 3))
		after, err := r.remote.Stat("f")
		require.NoError(t, err)
		require.NotEqual(t, first, after.ModTime().Unix())
	})
}
