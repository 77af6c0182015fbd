package syncfs

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/cachefs"
	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

func TestPushNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("x")
	r.fetch("x")
	r.place("y")
	before := r.plan.Total()
	r.down()
	report, err := r.push()
	require.NoError(t, err)
	require.Empty(t, report)
	require.Equal(t, before, r.plan.Total(), "the remote was used")
}

// A change that was undone is none.
func TestPushUndone(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("x", "d/y")
	require.NoError(t, r.fs.Rename("d", "e"))
	require.NoError(t, r.fs.Rename("x", "e/x"))
	require.NoError(t, r.fs.Rename("e/x", "x"))
	require.NoError(t, r.fs.Rename("e", "d"))
	r.write("n")
	require.NoError(t, r.fs.Remove("n"))
	require.NoError(t, r.fs.Mkdir("m", 0o755))
	require.NoError(t, r.fs.Remove("m"))
	r.queued()
	r.down()
	report, err := r.push()
	require.NoError(t, err)
	require.Empty(t, report.Results)
}

// The report has one result for each change, with what was transferred.
func TestReport(t *testing.T) {
	t.Parallel()
	now := time.Unix(1e9, 0)
	var clock sync.Mutex
	opts := &Options{}
	opts.Cache.Now = func() time.Time {
		clock.Lock()
		defer clock.Unlock()
		now = now.Add(time.Millisecond)
		return now
	}
	r := newRig(t, opts)
	r.serve("from", "gone", "attr")
	r.write("new:12345", "d/empty:")
	r.append("attr", "+++")
	require.NoError(t, r.fs.Chmod("attr", 0o600))
	require.NoError(t, r.fs.Rename("from", "to"))
	require.NoError(t, r.fs.Remove("gone"))
	require.NoError(t, r.fs.SymlinkIfPossible("to", "link"))
	pending := r.fs.Pending()
	report := r.pushes()
	require.Zero(t, report.Failed)
	require.EqualValues(t, 12, report.Bytes)
	bytes := map[string]int64{}
	for _, result := range report.Results {
		bytes[result.String()] = result.Bytes
		require.Positive(t, result.Duration)
		require.Equal(t, 1, result.Attempts)
	}
	require.Equal(t, map[string]int64{"put new": 5, "put d/empty": 0, "mkdir d": 0, "put attr": 7,
		"rename from -> to": 0, "remove gone": 0, "symlink link": 0}, bytes)
	require.Len(t, pending, len(bytes))
	mode, err := r.remote.Stat("attr")
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), mode.Mode())
}

// Directories that the remote does not have are made.
func TestPushMakesDirectories(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.place("a/b/c/added")
	require.NoError(t, r.fs.Add("a/b/c/added"))
	r.write("m/n/made")
	r.down()
	r.write("d/e/created")
	r.up()
	r.pushes()
	r.has(r.served(), "a/", "a/b/", "a/b/c/", "a/b/c/added:a/b/c/added", "d/", "d/e/", "d/e/created:d/e/created",
		"m/", "m/n/", "m/n/made:m/n/made")
}

// A directory that another client removed comes back only for what replaces unseen, or is told to.
func TestPushIntoRemovedDirectory(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		policy ConflictPolicy
		change func(r *rig)
		want   []string
	}{
		{"edit", Fail, func(r *rig) { r.append("d/e/x", "+") }, nil},
		{"make", Fail, func(r *rig) { r.write("d/e/n") }, nil},
		{"make a directory", Fail, func(r *rig) { require.NoError(r, r.fs.Mkdir("d/e/n", 0o755)) }, nil},
		{"rename into it", Fail, func(r *rig) { require.NoError(r, r.fs.Rename("other", "d/e/n")) }, nil},
		{"link", Fail, func(r *rig) { require.NoError(r, r.fs.SymlinkIfPossible("x", "d/e/n")) }, nil},
		{"add", Fail, func(r *rig) {
			r.place("d/e/n:ours")
			require.NoError(r, r.fs.Add("d/e/n"))
		}, []string{"d/", "d/e/", "d/e/n:ours"}},
		{"edit", Overwrite, func(r *rig) { r.append("d/e/x", "+") }, []string{"d/", "d/e/", "d/e/x:d/e/x+"}},
		{"make", Overwrite, func(r *rig) { r.write("d/e/n") }, []string{"d/", "d/e/", "d/e/n:d/e/n"}},
		{"make", KeepBoth, func(r *rig) { r.write("d/e/n") }, []string{"d/", "d/e/", "d/e/n:d/e/n"}},
	} {
		t.Run(fmt.Sprint(c.name, c.policy), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, &Options{Conflict: c.policy})
			r.serve("d/e/x", "other", "edited")
			r.fetch("d/e/x")
			c.change(r)
			r.append("edited", "+")
			require.NoError(t, r.remote.RemoveAll("d"))
			want := append([]string{"edited:edited+", "other:other"}, c.want...)
			if c.want == nil {
				report := r.fails(ErrConflict)
				require.Equal(t, 1, report.Failed)
				require.Len(t, r.fs.Pending(), 1)
			} else {
				_, err := r.push()
				require.NoError(t, err)
				r.queued()
			}
			r.has(r.served(), want...)
		})
	}
}

// A remote root that is not there is made, once, when there is something to put into it.
func TestPushMakesRoot(t *testing.T) {
	t.Parallel()
	base := aferotest.OS(t.TempDir())
	r := rigOn(t, aferotest.OS(t.TempDir()), nil)
	require.NoError(t, r.fs.Close())
	r.remote = lower{base, "/deep/root"}
	r.start()
	_, err := r.fs.Stat("x")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, r.fs.Mkdir("dir", 0o755))
	r.write("a", "b", "d/c")
	r.pushes()
	r.has(r.served(), "a:a", "b:b", "d/", "d/c:d/c", "dir/")
	require.Equal(t, 1, r.plan.Count(faultfs.MkdirAll))
}

// lower is a directory of another Fs, which need not exist.
type lower struct {
	base afero.Fs
	dir  string
}

func (b lower) at(name string) string {
	return strings.TrimSuffix(b.dir+"/"+strings.TrimPrefix(name, "/"), "/")
}

func (b lower) Create(name string) (afero.File, error) { return b.base.Create(b.at(name)) }
func (b lower) Open(name string) (afero.File, error)   { return b.base.Open(b.at(name)) }
func (b lower) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	return b.base.OpenFile(b.at(name), flag, perm)
}
func (b lower) Mkdir(name string, perm fs.FileMode) error { return b.base.Mkdir(b.at(name), perm) }
func (b lower) MkdirAll(name string, perm fs.FileMode) error {
	return b.base.MkdirAll(b.at(name), perm)
}
func (b lower) Remove(name string) error                  { return b.base.Remove(b.at(name)) }
func (b lower) RemoveAll(name string) error               { return b.base.RemoveAll(b.at(name)) }
func (b lower) Rename(from, to string) error              { return b.base.Rename(b.at(from), b.at(to)) }
func (b lower) Stat(name string) (fs.FileInfo, error)     { return b.base.Stat(b.at(name)) }
func (b lower) Name() string                              { return "lower" }
func (b lower) Chmod(name string, mode fs.FileMode) error { return b.base.Chmod(b.at(name), mode) }
func (b lower) Chown(name string, uid, gid int) error     { return b.base.Chown(b.at(name), uid, gid) }
func (b lower) Chtimes(name string, atime, mtime time.Time) error {
	return b.base.Chtimes(b.at(name), atime, mtime)
}
func (b lower) LstatIfPossible(name string) (fs.FileInfo, bool, error) {
	return b.base.(afero.Lstater).LstatIfPossible(b.at(name))
}

// While files are sent, nothing of them is under a name that is not the library's own, and nothing is left after it.
func TestNothingInPart(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	text := strings.Repeat("0123456789abcdef", 1<<14)
	r.serve("d/old:before", "old:before")
	r.write("d/old:"+text, "d/new:"+text, "old:"+text, "new:"+text)
	looks := 0
	var look sync.Mutex
	r.plan.Before(func(faultfs.Op) error {
		look.Lock()
		defer look.Unlock()
		looks++
		for _, dir := range []string{"/", "/d"} {
			infos, err := afero.ReadDir(r.remote, dir)
			assert.NoError(t, err)
			for _, info := range infos {
				ok := info.IsDir() || info.Size() == int64(len(text)) || info.Name() == "old" && info.Size() == 6
				assert.True(t, ok || strings.HasPrefix(info.Name(), ".syncfs-"), "%s/%s has %d bytes", dir, info.Name(), info.Size())
			}
		}
		return nil
	})
	r.pushes() // compares all names
	require.Positive(t, looks)
}

func fourAtOnce() *Options { return &Options{Cache: cachefs.Options{Parallel: 4}} }

// A remote that gives no answer stops a push soon, however much is queued.
func TestPushUnreachable(t *testing.T) {
	t.Parallel()
	r := newRig(t, fourAtOnce())
	var want []string
	for i := range 200 {
		name := fmt.Sprintf("d%d/x", i%10)
		r.write(fmt.Sprint(name, i))
	}
	want = r.pending()
	r.down()
	before := r.plan.Total()
	report := r.fails(ErrUnavailable)
	require.LessOrEqual(t, r.plan.Total()-before, 2*4)
	require.Equal(t, want, r.pending())
	require.Len(t, report.Results, len(want))
	require.Equal(t, len(want), report.Failed)
	r.up()
	r.pushes()
}

// A remote that fails in the middle: every change is on the remote whole, or still queued.
func TestPushCutOff(t *testing.T) {
	t.Parallel()
	r := newRig(t, fourAtOnce())
	r.serve("d/x", "d/y", "from")
	r.write("d/x:ours", "new")
	require.NoError(t, r.fs.Remove("d/y"))
	require.NoError(t, r.fs.Rename("from", "to"))
	view := r.view()
	r.plan.Sticky(r.plan.Total()+9, errDown)
	before := r.plan.Total()
	r.fails(ErrUnavailable)
	require.LessOrEqual(t, r.plan.Total()-before, 9+2*4)
	r.plan.Heal()
	require.Empty(t, aferotest.Diff(view, r.view()))
	r.pushes()
}

// A context that ends stops a push; the next one goes on.
func TestPushCancelled(t *testing.T) {
	t.Parallel()
	r := newRig(t, fourAtOnce())
	for i := range 50 {
		r.write(fmt.Sprint("x", i))
	}
	ctx, cancel := context.WithCancel(t.Context())
	var after atomic.Int64
	r.plan.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Rename {
			cancel()
		}
		if ctx.Err() != nil {
			after.Add(1)
		}
		return nil
	})
	_, err := r.fs.Push(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.Less(t, after.Load(), int64(8*4))
	for name, e := range r.served() {
		if !strings.HasPrefix(name, ".syncfs-") {
			require.Equal(t, name, e.Content)
		}
	}
	require.NotEmpty(t, r.fs.Pending())
	r.plan.Before(nil)
	_, err = r.push()
	require.NoError(t, err)
	require.Eventually(t, func() bool { // a call that was left to itself may make a temporary file, and remove it
		return len(aferotest.Diff(r.served(), r.view())) == 0
	}, 10*time.Second, time.Millisecond)
}

// Two pushes at a time run one after the other, and do nothing twice.
func TestPushConcurrent(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("from", "gone")
	for i := range 20 {
		r.write(fmt.Sprint("x", i))
	}
	require.NoError(t, r.fs.Rename("from", "to"))
	require.NoError(t, r.fs.Remove("gone"))
	queued := len(r.fs.Pending())
	var results atomic.Int64
	var pushes sync.WaitGroup
	for range 4 {
		pushes.Go(func() {
			report, err := r.push()
			assert.NoError(t, err)
			results.Add(int64(len(report.Results)))
		})
	}
	pushes.Wait()
	require.EqualValues(t, queued, results.Load())
	r.pushes()
}

// What is changed while Push runs is pushed by it as well, in a later round.
func TestPushRounds(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("x", "y", "z")
	r.write("a")
	var once sync.Once
	r.plan.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Rename {
			once.Do(func() {
				r.append("x", "+")
				require.NoError(t, r.fs.Rename("y", "b"))
				require.NoError(t, r.fs.Remove("z"))
			})
		}
		return nil
	})
	report := r.pushes()
	require.Len(t, report.Results, 4)
	r.has(r.served(), "a:a", "b:y", "x:x+")
}

// What is renamed, removed or replaced while it is being sent.
func TestPushMeanwhile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		do   func(r *rig)
		left []string
	}{
		{"renamed", func(r *rig) { require.NoError(r, r.fs.Rename("d/x", "n")) }, []string{"d/", "n:d/x+"}},
		{"directory renamed", func(r *rig) { require.NoError(r, r.fs.Rename("d", "e")) }, []string{"e/", "e/x:d/x+"}},
		{"removed", func(r *rig) { require.NoError(r, r.fs.Remove("d/x")) }, []string{"d/"}},
		{"directory removed", func(r *rig) { require.NoError(r, r.fs.RemoveAll("d")) }, nil},
		{"replaced", func(r *rig) {
			require.NoError(r, r.fs.Remove("d/x"))
			r.write("d/x:anew")
		}, []string{"d/", "d/x:anew"}},
		{"renamed over", func(r *rig) {
			r.write("d/y:anew")
			require.NoError(r, r.fs.Rename("d/y", "d/x"))
		}, []string{"d/", "d/x:anew"}},
		{"made a directory", func(r *rig) {
			require.NoError(r, r.fs.Remove("d/x"))
			r.write("d/x/in")
		}, []string{"d/", "d/x/", "d/x/in:d/x/in"}},
		{"attributes", func(r *rig) { require.NoError(r, r.fs.Chmod("d/x", 0o600)) }, []string{"d/", "d/x:d/x+"}},
	} {
		for _, made := range []bool{false, true} {
			for _, moment := range []faultfs.Kind{faultfs.Write, faultfs.Chtimes, faultfs.Rename} {
				t.Run(fmt.Sprintf("%s/made %v/at %s", c.name, made, moment), func(t *testing.T) {
					t.Parallel()
					r := newRig(t, nil)
					r.serve("d/")
					if made {
						r.write("d/x:d/x+")
					} else {
						r.serve("d/x")
						r.append("d/x", "+")
					}
					var once sync.Once
					r.plan.Before(func(op faultfs.Op) error {
						if op.Kind == moment {
							once.Do(func() { c.do(r) })
						}
						return nil
					})
					// It may say that the file changed meanwhile; then the next one is through.
					if _, err := r.push(); err != nil {
						require.ErrorIs(t, err, ErrBusy)
					}
					r.pushes()
					r.has(r.served(), c.left...)
				})
			}
		}
	}
}

// A file that changes while it is sent is not published: what arrived may be of two versions.
func TestPushChangedMeanwhile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(r *rig)
		want   string
	}{
		{"appended", func(r *rig) { r.append("x", "and more") }, "x+and more"},
		{"written over", func(r *rig) { r.write("x:anew") }, "anew"},
		{"truncated", func(r *rig) {
			f, err := r.fs.OpenFile("x", os.O_RDWR, 0)
			require.NoError(r, err)
			require.NoError(r, f.Truncate(1))
			require.NoError(r, f.Close())
		}, "x"},
		{"same length", func(r *rig) { r.write("x:y+") }, "y+"},
		{"by hand", func(r *rig) { r.place("x:by hand"); require.NoError(r, r.fs.Add("x")) }, "by hand"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.serve("x", "gone")
			r.append("x", "+")
			require.NoError(t, r.fs.Remove("gone"))
			var once sync.Once
			r.plan.Before(func(op faultfs.Op) error {
				if op.Kind == faultfs.Write {
					once.Do(func() { c.change(r) })
				}
				return nil
			})
			report := r.fails(ErrBusy)
			require.Equal(t, 1, report.Failed)
			require.Equal(t, []string{"put x"}, r.pending())
			r.has(r.served(), "x:x")
			r.pushes()
			r.has(r.served(), "x:"+c.want)
		})
	}
}

// A file that is open and was written is busy; one that is only open is not.
func TestBusy(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("read", "opened", "written", "gone")
	var files []afero.File
	open := func(name string, flag int) afero.File {
		f, err := r.fs.OpenFile(name, flag, 0o644)
		require.NoError(t, err)
		files = append(files, f)
		return f
	}
	open("read", os.O_RDONLY)
	open("opened", os.O_RDWR)
	f := open("written", os.O_RDWR)
	_, err := f.WriteString("new")
	require.NoError(t, err)
	open("made", os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	require.NoError(t, r.fs.Remove("gone"))
	r.append("read", "+")

	report := r.fails(ErrBusy)
	require.Equal(t, 2, report.Failed)
	r.has(r.served(), "read:read+", "opened:opened", "written:written")
	r.queued("put written", "put made")
	require.NoError(t, f.Sync()) // its last synced state
	r.fails(ErrBusy)
	r.queued("put made")
	_, err = f.WriteString("er")
	require.NoError(t, err)
	r.fails(ErrBusy)
	r.queued("put written", "put made")
	for _, f := range files {
		require.NoError(t, f.Close())
	}
	r.pushes()
	r.has(r.served(), "read:read+", "opened:opened", "written:neweren", "made:")
}

// What was open for writing at the end of the process is reported until somebody says that it is whole.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.serve("x")
	f, err := r.fs.OpenFile("x", os.O_RDWR, 0)
	require.NoError(t, err)
	_, err = f.WriteString("part")
	require.NoError(t, err)
	g, err := r.fs.Create("made")
	require.NoError(t, err)
	_, err = g.WriteString("part")
	require.NoError(t, err)
	r.restart()
	_, err = f.WriteString("late")
	require.ErrorIs(t, err, fs.ErrClosed)
	require.NoError(t, f.Close())
	require.NoError(t, g.Close())

	r.fails(ErrBusy)
	r.queued("put x", "put made")
	r.has(r.served(), "x:x")
	require.NoError(t, r.fs.Add("x"))
	r.append("made", " and whole")
	r.pushes()
	r.has(r.served(), "x:part", "made:part and whole")
}
