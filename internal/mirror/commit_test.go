package mirror

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/crashfs"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/localdir"
)

var errDisk = errors.New("the disk fails")

// ownCopy returns a handle for writing on a copy of a remote's file. plan fails what the local directory does.
func ownCopy(t *testing.T) (m *FS, f *File, disk afero.Fs, plan *faultfs.Plan) {
	t.Helper()
	base, disk, plan := crashfs.New(nil), crashfs.New(nil), new(faultfs.Plan)
	require.NoError(t, afero.WriteFile(base, "/f", []byte("of the remote"), 0o644))
	m, err := Open(base, faultfs.New(disk, plan), Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = m.Close() })
	require.NoError(t, m.Fetch("f"))
	require.NoError(t, m.Do(func(v *View) error {
		p, err := v.Find("f", true)
		if err == nil {
			f, err = v.OpenNode(v.Materialize(p), "f", os.O_RDWR)
		}
		return err
	}))
	return m, f, disk, plan
}

// No byte of a copy changes before it is recorded for good that it is being written, however often the program tries.
func TestNoWriteBeforeItsRecordIsSynced(t *testing.T) {
	t.Parallel()
	m, f, disk, plan := ownCopy(t)
	var g *File
	require.NoError(t, m.Do(func(v *View) (err error) {
		g, err = v.OpenNode(v.Tree().Lookup("f"), "f", os.O_RDWR)
		return err
	}))
	plan.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.Sync && strings.HasPrefix(op.Name, "/"+localdir.StateDir+"/log") {
			return errDisk
		}
		return nil
	})
	for i, file := range []*File{f, f, g, f, g} {
		_, err := file.WriteAt([]byte("ON"), 0)
		require.ErrorIs(t, err, errDisk, "%d", i)
	}
	text, err := afero.ReadFile(disk, "/f")
	require.NoError(t, err)
	require.Equal(t, "of the remote", string(text))
	require.NoError(t, g.Close())
	require.ErrorIs(t, f.Close(), errDisk) // nothing is recorded any more
}

// Whoever looks at a copy that another program keeps writing does not wait for that to end.
func TestCopyThatIsWrittenAllTheTime(t *testing.T) {
	t.Parallel()
	m, f, disk, plan := ownCopy(t)
	require.NoError(t, f.Close())
	now := time.Unix(2e9, 0)
	touch := func() {
		now = now.Add(time.Second)
		require.NoError(t, disk.Chtimes("/f", now, now))
	}
	touch()
	plan.Before(func(op faultfs.Op) error {
		if op.Kind == faultfs.ReadAt || op.Kind == faultfs.Read {
			touch()
		}
		return nil
	})
	info, err := m.Stat("f", true)
	require.NoError(t, err)
	require.Equal(t, int64(len("of the remote")), info.Size())

	touch()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = m.With(ended).Stat("f", true)
	require.ErrorIs(t, err, context.Canceled)
}
