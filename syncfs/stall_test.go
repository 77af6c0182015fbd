package syncfs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
)

// stallRig has a directory in which each call of stalls has something to sync, and others that bystanders use.
func stallRig(t *testing.T) (r *rig, near *faultfs.Plan) {
	t.Helper()
	r, near = &rig{TB: t, remote: aferotest.OS(t.TempDir()), plan: new(faultfs.Plan)}, new(faultfs.Plan)
	r.local = faultfs.New(realDir(t), near)
	r.start()
	t.Cleanup(r.end)
	r.serve("copy", "other", "back", "bystander", "gone", "moved", "on/remote")
	r.fetch("copy", "other", "back", "bystander", "gone", "moved")
	r.write("removed", "over:old", "with:new", "queued", "d/out", "d/stays")
	require.NoError(t, r.fs.Rename("d/out", "out"))
	require.NoError(t, r.fs.Remove("removed"))
	require.NoError(t, r.fs.Remove("back"))
	return r, near
}

// stalls are calls that have something synced, or might.
var stalls = map[string]func(*rig) error{
	"create where a file was removed": func(r *rig) error { return writeFile(r, "removed", "again") },
	"truncate a copy":                 func(r *rig) error { return writeFile(r, "copy", "again") },
	"truncate a change":               func(r *rig) error { return writeFile(r, "queued", "again") },
	"append to a copy":                func(r *rig) error { return extendFile(r, "copy", "more") },
	"rename over":                     func(r *rig) error { return r.fs.Rename("with", "over") },
	"rename to where a file was":      func(r *rig) error { return r.fs.Rename("with", "removed") },
	"remove below renamed names":      func(r *rig) error { return r.fs.RemoveAll("d") },
	"discard":                         func(r *rig) error { return r.fs.Discard("back") },
	"discard all":                     func(r *rig) error { return r.fs.Discard() },
	"sync a file": func(r *rig) error {
		f, err := r.fs.OpenFile("queued", os.O_RDWR, 0)
		if err != nil {
			return err
		}
		if _, err = f.WriteString("synced"); err == nil {
			err = f.Sync()
		}
		return errors.Join(err, f.Close())
	},
	"fetch": func(r *rig) error { return r.fs.Fetch(context.Background(), "on/remote") },
	"push":  func(r *rig) error { return second(r.push()) },
}

func writeFile(r *rig, name, text string) error {
	return afero.WriteFile(r.fs, name, []byte(text), 0o644)
}

func extendFile(r *rig, name, text string) error {
	f, err := r.fs.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// bystanders are calls that have to do with none of these, and that have nothing to sync.
var bystanders = []struct {
	name string
	call func(*rig) error
}{
	{"stat", func(r *rig) error { return second(r.fs.Stat("other")) }},
	{"list", func(r *rig) error { return second(afero.ReadDir(r.fs, "/")) }},
	{"read", func(r *rig) error { return second(afero.ReadFile(r.fs, "other")) }},
	{"create", func(r *rig) error { return writeFile(r, "new", "new") }},
	{"mkdir", func(r *rig) error { return r.fs.Mkdir("made", 0o755) }},
	{"remove", func(r *rig) error { return r.fs.Remove("gone") }},
	{"rename", func(r *rig) error { return r.fs.Rename("moved", "made/moved") }},
	{"rename over", func(r *rig) error { return r.fs.Rename("made/moved", "new") }},
	{"chmod", func(r *rig) error { return r.fs.Chmod("bystander", 0o600) }},
	{"status", func(r *rig) error { return second(r.fs.Status("other")) }},
	{"pending", func(r *rig) error { r.fs.Pending(); r.fs.Stats(); return nil }},
}

// standBy requires that all bystanders return while another call does not.
func standBy(t *testing.T, r *rig) {
	t.Helper()
	for _, b := range bystanders {
		ended := make(chan error, 1)
		go func() { ended <- b.call(r) }()
		select {
		case err := <-ended:
			require.NoError(t, err, b.name)
		case <-time.After(20 * time.Second):
			require.FailNow(t, "waits for another call", b.name)
		}
	}
}

// standByWhile makes a call, and has bystanders stand by if it hangs. It says whether it did.
func standByWhile(t *testing.T, r *rig, call func(*rig) error, hung chan faultfs.Op, release func()) bool {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- call(r) }()
	select {
	case <-hung:
		standBy(t, r)
		release()
		require.NoError(t, <-ended)
		return true
	case err := <-ended:
		require.NoError(t, err)
		return false
	}
}

// hangEach has operations wait until release is called, at the latest at the end of the test; hung gets each.
func hangEach(t *testing.T, plan *faultfs.Plan, hangs func(faultfs.Op) bool) (hung chan faultfs.Op, release func()) {
	hung, goOn := make(chan faultfs.Op, 1000), make(chan struct{})
	release = sync.OnceFunc(func() { close(goOn) })
	t.Cleanup(release)
	plan.Before(func(op faultfs.Op) error {
		if hangs(op) {
			hung <- op
			<-goOn
		}
		return nil
	})
	return hung, release
}

// No call waits for an fsync of another one.
func TestNoCallWaitsForAnFsync(t *testing.T) {
	t.Parallel()
	for name, call := range stalls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, near := stallRig(t)
			hung, release := hangEach(t, near, func(op faultfs.Op) bool { return op.Kind == faultfs.Sync })
			if !standByWhile(t, r, call, hung, release) {
				require.Contains(t, []string{"rename over", "discard", "discard all"}, name, "has something synced")
			}
		})
	}
}

// Nor does it while the log is compacted.
func TestNoCallWaitsForACompaction(t *testing.T) {
	t.Parallel()
	r, near := stallRig(t)
	var compacting atomic.Bool
	hung, release := hangEach(t, near, func(op faultfs.Op) bool {
		return op.Kind == faultfs.Sync && op.Name == "/.syncfs/log.new" && compacting.CompareAndSwap(false, true)
	})
	long := strings.Repeat("long/", 800) // records of its link are
	require.NoError(t, r.fs.SymlinkIfPossible(long, "link"))
	for len(hung) == 0 {
		require.NoError(t, r.fs.Rename("link", "renamed"))
		require.NoError(t, r.fs.Rename("renamed", "link"))
	}
	standBy(t, r)
	release()
	want := r.pending()
	r.restart()
	require.Equal(t, want, r.pending())
}

// Nor does a call wait for an answer of the remote that another one has asked for.
func TestNoCallWaitsForAnAnswer(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(*rig) error{
		"stat":  func(r *rig) error { return second(r.fs.Stat("on/remote")) },
		"list":  func(r *rig) error { return second(afero.ReadDir(r.fs, "on")) },
		"read":  func(r *rig) error { return second(afero.ReadFile(r.fs, "on/remote")) },
		"write": func(r *rig) error { return extendFile(r, "on/remote", "more") },
		"pull":  func(r *rig) error { return second(r.fs.Pull(context.Background(), "on")) },
		"push":  func(r *rig) error { return second(r.push()) },
	} {
		for i := range 4 {
			t.Run(fmt.Sprintf("%s, answer %d", name, i), func(t *testing.T) {
				t.Parallel()
				r, _ := stallRig(t)
				var left atomic.Int64
				left.Store(int64(i))
				hung, release := hangEach(t, r.plan, func(faultfs.Op) bool { return left.Add(-1) == -1 })
				if !standByWhile(t, r, call, hung, release) {
					require.Positive(t, i, "asks at least once")
				}
			})
		}
	}
}
