package syncfs

import (
	"fmt"
	"testing"
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
		mtime int64
		there []tree.Meta
		want  int64
	}{
		{"nothing there", 10 * s, nil, 10 * s},
		{"another size", 10 * s, []tree.Meta{{Size: 5, MTime: 10 * s}}, 10 * s},
		{"an earlier second", 10 * s, []tree.Meta{at(9)}, 10 * s},
		{"the same second", 10 * s, []tree.Meta{at(10)}, 11 * s},
		{"the same second, a fraction here", 10*s + 7, []tree.Meta{at(10)}, 11*s + 7},
		{"the same second, a fraction there", 10 * s, []tree.Meta{{Size: 4, MTime: 10*s + 7}}, 11 * s},
		{"given a later time before", 10 * s, []tree.Meta{at(12)}, 13 * s},
		{"two", 10 * s, []tree.Meta{at(11), at(10)}, 12 * s},
		{"two, in the other order", 10 * s, []tree.Meta{at(10), at(11)}, 12 * s},
		{"put back on purpose", 10 * s, []tree.Meta{at(10 + 3600)}, 10 * s},
		{"before 1970", -10*s - 1, []tree.Meta{at(-11)}, -9*s - 1},
	} {
		require.Equal(t, c.want, apart(c.mtime, 4, c.there...), c.what)
	}
}

// savings is a rig whose program saves files at a time of its own choice.
type savings struct {
	*rig
	at time.Time
}

// save writes as of that time, which is that of the local file: Chtimes would be the program's own.
func (s *savings) save(name, content string) {
	s.Helper()
	s.write(name + ":" + content)
	require.NoError(s, s.local.Chtimes(name, s.at, s.at))
}

// What is saved several times in one second, at the same size, is another version for other clients each time.
func TestSavesInOneSecond(t *testing.T) {
	t.Parallel()
	for name, save := range map[string]func(s *savings, content string){
		"write": func(s *savings, content string) { s.save("f", content) },
		"write and rename": func(s *savings, content string) {
			s.save("t", content)
			require.NoError(s, s.fs.Rename("t", "f"))
		},
		"remove and make": func(s *savings, content string) {
			_ = s.fs.Remove("f")
			s.save("f", content)
		},
		"add": func(s *savings, content string) {
			s.place("f:" + content)
			require.NoError(s, s.local.Chtimes("f", s.at, s.at))
			require.NoError(s, s.fs.Add("f"))
		},
		"push, then rename over": func(s *savings, content string) {
			s.save("t", content)
			s.pushes()
			require.NoError(s, s.fs.Rename("t", "f"))
		},
		"in parts": func(s *savings, content string) {
			s.save("f", content[:2])
			s.append("f", content[2:])
			require.NoError(s, s.local.Chtimes("f", s.at, s.at))
		},
	} {
		for _, restarts := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/restarts %v", name, restarts), func(t *testing.T) {
				t.Parallel()
				s := &savings{newRig(t, nil), time.Now().Truncate(time.Second).Add(400 * time.Millisecond)}
				others := make([]*rig, 6) // each has seen the version before
				seen := map[int64]bool{}
				for i := range others {
					save(s, fmt.Sprintf("%04d", i))
					s.pushes()
					fi, err := s.remote.Stat("f")
					require.NoError(t, err)
					require.False(t, seen[fi.ModTime().Unix()], "version %d has the time of an earlier one", i)
					seen[fi.ModTime().Unix()] = true
					require.LessOrEqual(t, fi.ModTime().Sub(s.at), time.Duration(len(seen))*2*time.Second)
					shown, err := s.fs.Stat("f")
					require.NoError(t, err)
					require.Equal(t, fi.ModTime().Unix(), shown.ModTime().Unix())
					if restarts {
						s.restart()
						again, err := s.fs.Stat("f")
						require.NoError(t, err)
						require.Equal(t, shown.ModTime(), again.ModTime())
					}
					others[i] = rigOn(t, s.remote, nil)
					others[i].fetch("f")
				}
				for i, other := range others {
					other.reads("f", fmt.Sprintf("%04d", i))
					require.NoError(t, other.fs.Invalidate("/"))
					other.reads("f", "0005")
				}
			})
		}
	}
}

// The edit of a client that has the first of two versions of one second is a conflict, and each way out leaves a version
// that all can tell.
func TestTwoClientsInOneSecond(t *testing.T) {
	t.Parallel()
	for _, policy := range []ConflictPolicy{Fail, Overwrite, KeepBoth} {
		first := &savings{newRig(t, nil), time.Now().Truncate(time.Second)}
		first.save("f", "0001")
		first.pushes()
		second := &savings{rigOn(t, first.remote, &Options{Conflict: policy}), first.at}
		third := rigOn(t, first.remote, nil)
		second.fetch("f")
		first.save("f", "0002")
		first.pushes()
		third.fetch("f")
		second.save("f", "ours")
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
	s := &savings{newRig(t, nil), time.Now().Truncate(time.Second)}
	s.save("f", bulk(1, 3))
	s.pushes()
	before, err := s.remote.Stat("f")
	require.NoError(t, err)
	s.save("f", bulk(2, 3))
	cut := 0
	s.plan.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Chtimes || op.Kind == faultfs.Rename {
			if cut++; cut < 3 {
				return errDown
			}
		}
		return nil
	})
	for range 3 {
		if _, err := s.push(); err == nil {
			break
		}
	}
	s.plan.Heal()
	s.pushes()
	s.holds("f", bulk(2, 3))
	after, err := s.remote.Stat("f")
	require.NoError(t, err)
	require.NotEqual(t, before.ModTime().Unix(), after.ModTime().Unix())
}
