package syncfs

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/sftpfs/sftptest"
)

var direct = &Options{Publish: PublishDirect}

// With PublishDirect, all changes of files arrive on servers of any kind.
func TestChangesOfFilesDirectly(t *testing.T) {
	t.Parallel()
	for name, characters := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPartner(t, direct, characters...)
			p.changes()
			p.restart()
			p.write("e:THREE", "a:")
			p.pushes()
			p.has("b:another", "e:THREE", "a:")
		})
	}
}

// A drop folder gets each file once, under its name, and again when it is written again.
func TestDropFolder(t *testing.T) {
	t.Parallel()
	p := newPartner(t, direct, sftptest.DropFolder())
	large := strings.Repeat("0123456789abcdef", 1<<17)
	p.write("a:one", "empty:", "large:"+large)
	for _, result := range p.pushes().Results {
		require.True(t, result.Taken, result.Name)
		require.NoError(t, result.Refused)
	}
	p.took("a:one", "empty:", "large:"+large)
	p.pushes()
	p.write("a:two")
	p.pushes()
	p.restart()
	p.write("a:three", "temp:four")
	require.NoError(t, p.fs.Rename("temp", "empty"))
	p.pushes()
	p.pushes()
	p.took("a:one", "empty:", "large:"+large, "a:two", "a:three", "empty:four")

	require.NoError(t, p.fs.Invalidate("."))
	infos, err := afero.ReadDir(p.fs, ".")
	require.NoError(t, err)
	require.Empty(t, infos, "what the server has")
}

// What another client puts under the name of a file that was taken is not replaced.
func TestDropFolderConflict(t *testing.T) {
	t.Parallel()
	p := newPartner(t, direct, sftptest.DropFolder())
	p.write("a:one", "temp:other")
	p.pushes()
	p.write("temp:two")
	require.NoError(t, afero.WriteFile(p.server.Fs(), "/a", []byte("theirs"), 0o644))
	require.NoError(t, p.fs.Rename("temp", "a"))
	require.ErrorIs(t, p.fails(), ErrConflict)
	p.has("a:theirs")
}

// An account that may write and not look gets files. Each later change of one is a conflict, which Overwrite resolves.
func TestWriteOnlyAccount(t *testing.T) {
	t.Parallel()
	p := newPartner(t, direct, sftptest.WriteOnly())
	require.NoError(t, p.server.Fs().MkdirAll("/in", 0o777))
	p.write("a:one")
	result := p.pushes().Results[0]
	require.True(t, result.Unchecked)
	require.False(t, result.Taken)
	p.has("a:one")

	p.write("a:two", "b:new")
	err := p.fails()
	require.ErrorIs(t, err, ErrConflict)
	require.ErrorIs(t, err, fs.ErrPermission)
	require.ErrorContains(t, err, "cannot look")
	p.has("a:one", "b:new")
	_, err = p.fs.PushWith(t.Context(), Overwrite, "a")
	require.NoError(t, err)
	p.has("a:two", "b:new")

	require.NoError(t, p.fs.MkdirAll("in", 0o755))
	p.write("in/c:three")
	p.pushes()
	p.has("a:two", "b:new", "in/c:three")
}

// A server that refuses to rename takes files, and keeps those that are there if their version is another.
func TestPublishDirectWithoutRenames(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]sftptest.Character{"rename": sftptest.NoRename(), "suffix": sftptest.Suffixes(".csv"),
		"dots": sftptest.NoDots(), "one file": sftptest.OneFile(), "order": sftptest.InOrder(), "locked": sftptest.Locked()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPartner(t, direct, c)
			large := strings.Repeat("0123456789abcdef", 1<<17)
			p.write("a.csv:one", "b.csv:two", "large.csv:"+large)
			p.pushes()
			p.has("a.csv:one", "b.csv:two", "large.csv:"+large)
			p.write("a.csv:ONE")
			p.pushes()
			p.has("a.csv:ONE", "b.csv:two", "large.csv:"+large)
			require.NoError(t, afero.WriteFile(p.server.Fs(), "/a.csv", []byte("theirs"), 0o644))
			p.write("a.csv:ours")
			require.ErrorIs(t, p.fails(), ErrConflict)
			_, err := p.fs.PushWith(t.Context(), KeepBoth)
			if errors.Is(err, fs.ErrPermission) {
				return
			}
			require.NoError(t, err)
			infos, err := afero.ReadDir(p.server.Fs(), "/")
			require.NoError(t, err)
			require.Len(t, infos, 4)
		})
	}
}

// A delivery that is refused in the middle leaves no part of a new file, and the next one replaces a part of an old one.
func TestDeliveryRefusedInTheMiddle(t *testing.T) {
	t.Parallel()
	p := newPartner(t, direct, sftptest.Quota(100_000))
	p.write("old:before")
	p.pushes()
	large := strings.Repeat("0123456789abcdef", 8<<10)
	p.write("new:"+large, "old:"+large)
	require.Error(t, p.fails())
	infos, err := afero.ReadDir(p.server.Fs(), "/")
	require.NoError(t, err)
	require.Len(t, infos, 1)
	p.write("new:fits", "old:fits, too")
	p.pushes()
	p.has("new:fits", "old:fits, too")
}

// A file that takes the place of another one has its own mode, whatever the mode of the other one was.
func TestModeOfADeliveryOverAnotherFile(t *testing.T) {
	t.Parallel()
	for name, replace := range map[string]func(*rig){
		"removed": func(r *rig) { require.NoError(r, r.fs.Remove("f")) },
		"renamed": func(r *rig) { require.NoError(r, r.fs.Rename("f", "g")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, direct)
			r.serve("f")
			require.NoError(t, r.remote.Chmod("f", 0o604))
			replace(r)
			f, err := r.fs.OpenFile("f", os.O_RDWR|os.O_CREATE, 0o644)
			require.NoError(t, err)
			require.NoError(t, f.Close())
			r.pushes()
			fi, err := r.remote.Stat("f")
			require.NoError(t, err)
			require.Equal(t, fs.FileMode(0o644), fi.Mode())
		})
	}
}

// A file that another program cuts while it is read is reported as busy, and not delivered.
func TestDeliveryOfACutFile(t *testing.T) {
	t.Parallel()
	near, disk := new(faultfs.Plan), realDir(t)
	r := &rig{TB: t, remote: aferotest.OS(t.TempDir()), plan: new(faultfs.Plan), local: faultfs.New(disk, near), opts: direct}
	r.start()
	defer r.end()
	r.write("f:the whole")
	near.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.ReadAt && op.Name == "/f" {
			f, err := disk.OpenFile("/f", os.O_WRONLY, 0)
			require.NoError(t, err)
			require.NoError(t, f.Truncate(3))
			require.NoError(t, f.Close())
		}
		return nil
	})
	_, err := r.push()
	require.ErrorIs(t, err, ErrBusy)
	near.Heal()
	r.has(r.served())
	require.NoError(t, r.fs.Add("f"))
	r.pushes()
}

// The part that an interrupted delivery has left is not a file of another client.
func TestPartOfADeliveryIsNotShown(t *testing.T) {
	t.Parallel()
	r := newRig(t, direct)
	r.write("f")
	r.plan.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Write {
			r.plan.Offline(errDown)
			return errDown
		}
		return nil
	})
	r.fails(ErrUnavailable)
	r.plan.Heal()
	require.NoError(t, r.fs.Rename("f", "g"))
	r.has(r.served(), "f:")
	r.has(r.view(), "g:f")
	r.pushes()
	r.has(r.served(), "g:f")
}
