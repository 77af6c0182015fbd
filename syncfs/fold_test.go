package syncfs

import (
	"fmt"
	"path"
	"runtime"
	"slices"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/foldfs"
	"github.com/sftpsyncer/go-syncfs/internal/remotetest"
)

// eachPair runs test for each kind of local directory that does not keep all names apart, with each pair of names that
// one of them takes for one.
func eachPair(t *testing.T, test func(r *rig, a, b string)) {
	t.Parallel()
	for _, kind := range foldfs.Kinds {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			next := kind.Start(t)
			for _, pair := range foldfs.Pairs {
				t.Run(fmt.Sprintf("%.20q", pair), func(t *testing.T) {
					r := &rig{TB: t, remote: aferotest.OS(t.TempDir()), plan: new(faultfs.Plan), local: next()}
					r.start()
					t.Cleanup(r.end)
					test(r, pair[0], pair[1])
				})
			}
		})
	}
}

func (r *rig) lists(dir string, names ...string) {
	r.Helper()
	infos, err := afero.ReadDir(r.fs, dir)
	require.NoError(r, err)
	var got []string
	for _, info := range infos {
		got = append(got, info.Name())
	}
	slices.Sort(names)
	require.Equal(r, names, got)
}

// TestNamesTheDiskTakesForOne has the remote hold two names that the local directory cannot keep apart, or hold.
func TestNamesTheDiskTakesForOne(t *testing.T) {
	eachPair(t, func(r *rig, a, b string) {
		r.serve(a, b, "other")
		r.fetch(a, b)
		r.reads(a, a)
		r.reads(b, b)
		r.lists("/", a, b, "other")
		r.append(a, "+a")
		r.restart()
		r.append(b, "+b")
		r.queued("put "+a, "put "+b)
		r.pushes()
		r.has(r.served(), a+":"+a+"+a", b+":"+b+"+b", "other:other")

		require.NoError(r, r.fs.Remove(b))
		r.reads(a, a+"+a")
		r.lists("/", a, "other")
		r.restart()
		r.pushes()
		r.has(r.served(), a+":"+a+"+a", "other:other")

		// To the other spelling of its own name, and to where another has been.
		require.NoError(r, r.fs.Rename(a, b))
		r.queued(fmt.Sprintf("rename %s -> %s", a, b))
		r.lists("/", b, "other")
		r.restart()
		r.reads(b, a+"+a")
		r.pushes()
		r.has(r.served(), b+":"+a+"+a", "other:other")

		r.write(a+":new", "other:rest")
		r.pushes()
		require.NoError(r, r.fs.Rename(a, b))
		r.reads(b, "new")
		r.pushes()
		r.has(r.served(), b+":new", "other:rest")
	})
}

// TestDirectoriesTheDiskTakesForOne is the same for directories with something in them.
func TestDirectoriesTheDiskTakesForOne(t *testing.T) {
	eachPair(t, func(r *rig, a, b string) {
		in := func(dir, name string) string { return path.Join(dir, name) }
		r.serve(in(a, a)+":aa", in(a, b)+":ab", in(b, a)+":ba", in(b, b)+":bb")
		r.fetch(in(a, a), in(b, a), in(b, b), in(a, b))
		r.write(in(a, "new")+":1", in(b, "new")+":2")
		r.append(in(b, b), "+")
		r.lists(a, a, b, "new")
		r.restart()
		r.reads(in(a, b), "ab")
		r.reads(in(b, b), "bb+")
		r.pushes()

		require.NoError(r, r.fs.RemoveAll(a))
		r.reads(in(b, a), "ba")
		require.NoError(r, r.fs.Rename(b, a))
		r.reads(in(a, a), "ba")
		r.append(in(a, b), "+")
		r.restart()
		r.pushes()
		r.has(r.served(), a+"/", in(a, a)+":ba", in(a, b)+":bb++", in(a, "new")+":2")

		require.NoError(r, r.fs.Remove(in(a, b)))
		require.ErrorContains(r, r.fs.Remove(a), "not empty")
		require.NoError(r, r.fs.RemoveAll(a))
		r.pushes()
		r.has(r.served())
	})
}

// TestDiscardWhereTheDiskTakesNamesForOne takes changes back, and keeps what was written.
func TestDiscardWhereTheDiskTakesNamesForOne(t *testing.T) {
	eachPair(t, func(r *rig, a, b string) {
		r.serve(a, b)
		r.append(a, "+")
		require.NoError(r, r.fs.Rename(b, "away"))
		r.write(b + ":new")
		r.restart()
		for _, name := range []string{a, b} { // what was at b as well
			require.NoError(r, r.fs.Discard(name))
		}
		r.queued()
		r.reads(a, a)
		r.reads(b, b)
		require.ElementsMatch(r, []string{a + "+", "new"}, r.discarded())
	})
}

// TestConformanceWhereNamesFold goes through the suite where the local directory does not keep all names apart.
// SYNCFS_FULL=1 has all kinds of them.
func TestConformanceWhereNamesFold(t *testing.T) {
	t.Parallel()
	remote := remotetest.Kinds[0].Start(t)
	for i, kind := range foldfs.Kinds {
		if i != 1 && !remotetest.Full() {
			continue
		}
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			// lowntfs-3g, which serves NTFS, confuses files that are made and removed at the same time: a disk for each test.
			disks := make(chan func() afero.Fs, runtime.GOMAXPROCS(0))
			for range cap(disks) {
				disks <- kind.Start(t)
			}
			aferotest.Run(t, aferotest.Subject{
				New: func(t testing.TB) afero.Fs {
					next := <-disks
					t.Cleanup(func() { disks <- next })
					fsys, _ := remote.New(t)
					s := newFs(t, fsys, next(), nil)
					return remotetest.Before(s, func() { pushClosed(t, s) })
				},
				Incapable: remote.Limits,
			})
		})
	}
}

// TestDeathWhereNamesFold has the process die at each operation on a disk that folds case, while the two spellings of a
// name are swapped and one of them is changed. What is left is opened and pushed: no content is lost, and none doubled.
func TestDeathWhereNamesFold(t *testing.T) {
	t.Parallel()
	stride := 13
	if full() {
		stride = 1
	}
	for index, died := 0, true; died; index += stride {
		plan := new(faultfs.Plan)
		plan.Sticky(index, nil)
		remote, disk := aferotest.OS(t.TempDir()), foldfs.Kinds[index%2].New(t)
		r := &rig{TB: t, remote: remote, plan: new(faultfs.Plan), local: disk}
		r.serve("Name:1", "name:2", "NAME/in:3")
		if s, err := New(coarse{remote}, faultfs.New(disk, plan), trying(nil)); err == nil {
			for _, name := range []string{"Name", "name", "NAME/in"} {
				_, _ = afero.ReadFile(s, name)
			}
			for _, rename := range [][2]string{{"Name", "t"}, {"name", "Name"}, {"t", "name"}, {"NAME", "nAME"}} {
				_ = s.Rename(rename[0], rename[1])
			}
			_, _ = s.Push(t.Context())
			_ = s.Rename("nAME", "NaMe")
			_ = s.Close()
		}
		died = len(plan.Fired()) > 0
		r.start()
		require.NoError(t, r.fs.Damage(), "index %d", index)
		r.pushes()
		var texts []string
		for _, e := range r.served() {
			if e.Type == 0 {
				texts = append(texts, e.Content)
			}
		}
		require.ElementsMatch(t, []string{"1", "2", "3"}, texts, "index %d", index)
		r.end()
	}
}
