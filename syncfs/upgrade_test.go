package syncfs

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/statelog"
)

// testdata/upgrade has a directory for each format of the log that was ever on main, which the commit made that brought
// it: the local directory and the remote of a process that died, and what the next process must find.
const upgradeDir = "testdata/upgrade"

var writeUpgrade = flag.String("write-upgrade", "", "name of a directory to be made in testdata/upgrade")

// upgradeTime is the mtime of all files of the remote: git keeps none.
var upgradeTime = time.Unix(1_000_000_000, 0)

// upgradeStory leaves something of everything that is recorded.
func upgradeStory(r *rig) {
	r.serve("read", "over", "gone", "moved", "kept/x", "pinned", "attributes", "dir/a", "dir/b", "doubted:old", "resumed:old",
		"guarded")
	for name := range r.served() {
		require.NoError(r, r.remote.Chtimes(name, upgradeTime, upgradeTime))
	}
	r.fetch("read", "pinned", "dir/a")
	require.NoError(r, r.fs.Pin(context.Background(), "pinned"))

	require.NoError(r, r.fs.Remove("guarded")) // pushed twice: the first request may still be executed
	r.plan.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Remove {
			r.down()
			return errDown
		}
		return nil
	})
	r.fails(ErrUnavailable)
	r.plan.Heal()
	r.pushes()

	r.fs.block = 4 // an upload that can be resumed, and one whose publication is in doubt
	r.write("doubted:the new content", "resumed:"+strings.Repeat("0123456789", 20))
	renamed := make(chan struct{})
	var mu sync.Mutex
	writes := map[string]int{}
	r.plan.Before(func(op faultfs.Op) error {
		mu.Lock()
		writes[op.Name]++
		middle := op.Kind == faultfs.Write && writes[op.Name] == 20
		mu.Unlock()
		switch {
		case middle:
			<-renamed
			return errDown
		case op.Kind == faultfs.Rename:
			r.down()
			close(renamed)
			return errDown
		}
		return nil
	})
	r.fails(ErrUnavailable)
	r.plan.Heal()

	r.write("new:a new file", "over:written anew", "made/below")
	require.NoError(r, r.fs.Remove("gone"))
	require.NoError(r, r.fs.Rename("moved", "kept/moved"))
	require.NoError(r, r.fs.Rename("dir", "renamed"))
	require.NoError(r, r.fs.Chmod("attributes", 0o600))
	require.NoError(r, r.fs.Chtimes("attributes", upgradeTime.Add(time.Hour), upgradeTime.Add(time.Hour)))
	require.NoError(r, r.fs.SymlinkIfPossible("kept/x", "link"))
	require.NoError(r, r.fs.MkdirAll("empty", 0o755))
	r.place("added:put by hand", "mine:not added")
	require.NoError(r, r.fs.Add("added"))
	f, err := r.fs.Create("interrupted") // stays open: the process dies
	require.NoError(r, err)
	_, err = f.WriteString("a part")
	require.NoError(r, err)
}

// upgraded describes what a process finds in a local directory: the queue, and everything in the view.
func (r *rig) upgraded() string {
	var text strings.Builder
	for _, c := range r.fs.Pending() {
		fmt.Fprintf(&text, "queued: %v, %d bytes, attempts: %d, error: %v\n", c, c.Size, c.Attempts, c.Err)
	}
	all := r.view()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		status, err := r.fs.Status(name)
		require.NoError(r, err)
		fmt.Fprintf(&text, "%s: %v, %v, pinned: %v\n", name, all[name], status.State, status.Pinned)
	}
	return text.String()
}

func TestUpgrade(t *testing.T) {
	t.Parallel()
	if *writeUpgrade != "" {
		r := newRig(t, nil)
		upgradeStory(r)
		to := filepath.Join(upgradeDir, *writeUpgrade)
		copyTree(t, r.remote, aferotest.OS(madeDir(t, to, "remote")))
		copyTree(t, r.local, aferotest.OS(madeDir(t, to, "local")))
		times, err := json.MarshalIndent(mtimes(t, r.local), "", "\t")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(to, "mtimes.json"), times, 0o644))
	}
	formats, err := os.ReadDir(upgradeDir)
	require.NoError(t, err)
	require.NotEmpty(t, formats)
	for _, format := range formats {
		t.Run(format.Name(), func(t *testing.T) {
			t.Parallel()
			from := filepath.Join(upgradeDir, format.Name())
			r := upgradeRig(t, from)
			r.start()
			t.Cleanup(r.end)
			require.NoError(t, r.fs.Damage())
			want := filepath.Join(from, "want.txt")
			if *writeUpgrade == format.Name() {
				require.NoError(t, os.WriteFile(want, []byte(r.upgraded()), 0o644))
			}
			text, err := os.ReadFile(want)
			require.NoError(t, err)
			require.Equal(t, string(text), r.upgraded())

			r.fails(ErrBusy) // a file is interrupted
			r.write("interrupted:written anew", "mine:also written")
			r.pushes()
		})
	}
}

// upgradeRig has copies of a local directory and a remote.
func upgradeRig(t *testing.T, from string) *rig {
	r := &rig{TB: t, remote: aferotest.OS(t.TempDir()), plan: new(faultfs.Plan), local: realDir(t)}
	copyTree(t, aferotest.OS(filepath.Join(from, "remote")), r.remote)
	copyTree(t, aferotest.OS(filepath.Join(from, "local")), r.local)
	text, err := os.ReadFile(filepath.Join(from, "mtimes.json"))
	require.NoError(t, err)
	var times map[string]int64
	require.NoError(t, json.Unmarshal(text, &times))
	for name, at := range times {
		require.NoError(t, r.local.Chtimes(name, time.Unix(0, at), time.Unix(0, at)))
	}
	return r
}

// mtimes returns the times of the regular files that are not the library's, in nanoseconds since 1970.
func mtimes(t *testing.T, fsys afero.Fs) map[string]int64 {
	times := map[string]int64{}
	require.NoError(t, afero.Walk(fsys, "/", func(name string, fi fs.FileInfo, err error) error {
		if err == nil && fi.Mode().IsRegular() && !strings.HasPrefix(name, "/.syncfs/") {
			times[name] = fi.ModTime().UnixNano()
		}
		return err
	}))
	return times
}

func madeDir(t *testing.T, names ...string) string {
	dir := filepath.Join(names...)
	require.NoError(t, os.MkdirAll(dir, 0o755))
	return dir
}

// copyTree copies regular files and directories. All files get the same time and mode.
func copyTree(t *testing.T, from, to afero.Fs) {
	require.NoError(t, afero.Walk(from, "/", func(name string, fi fs.FileInfo, err error) error {
		require.NoError(t, err)
		switch {
		case name == "/":
		case fi.IsDir():
			require.NoError(t, to.Mkdir(name, 0o755))
		case fi.Mode().IsRegular():
			content, err := afero.ReadFile(from, name)
			require.NoError(t, err)
			require.NoError(t, afero.WriteFile(to, name, content, 0o644))
			require.NoError(t, to.Chtimes(name, upgradeTime, upgradeTime))
		}
		return nil
	}))
}

// A log of a later format is refused, and not touched.
func TestDowngrade(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.write("x")
	require.NoError(t, r.fs.Close())
	log, err := afero.ReadFile(r.local, ".syncfs/log")
	require.NoError(t, err)
	original := bytes.Clone(log)
	version := binary.LittleEndian.Uint32(log[8:])
	binary.LittleEndian.PutUint32(log[8:], version+1)
	binary.LittleEndian.PutUint32(log[12:], crc32.Checksum(log[:12], crc32.MakeTable(crc32.Castagnoli)))
	require.NoError(t, afero.WriteFile(r.local, ".syncfs/log", log, 0o600))
	before, err := aferotest.Tree(r.local)
	require.NoError(t, err)

	_, err = New(coarse{r.remote}, r.local, nil)
	require.ErrorIs(t, err, statelog.ErrVersion)
	require.ErrorContains(t, err, fmt.Sprintf("%d, this program reads %d", version+1, version))
	after, err := aferotest.Tree(r.local)
	require.NoError(t, err)
	delete(before, ".syncfs/lock") // says since when
	delete(after, ".syncfs/lock")
	require.Empty(t, aferotest.Diff(before, after))
	again, err := afero.ReadFile(r.local, ".syncfs/log")
	require.NoError(t, err)
	require.True(t, bytes.Equal(log, again))
	require.NoError(t, afero.WriteFile(r.local, ".syncfs/log", original, 0o600))
	r.start()
	r.pushes()
}
