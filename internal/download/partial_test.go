package download

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/localdir"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
)

// long is worth keeping in part.
var long = bytes.Repeat(large, 20)

var errCut = errors.New("cut")

// cut has a download of long fail when so many bytes have come. It returns how many come of the following ones.
func cut(t *testing.T, after int64) (*rig, *atomic.Int64) {
	var left, came atomic.Int64
	left.Store(after)
	r := newRig(t, func(fsys afero.Fs) afero.Fs {
		return unreliable{fsys, func(f afero.File, p []byte) (int, error) {
			if left.Load() <= 0 {
				return 0, errCut
			}
			n, err := f.Read(p[:min(int64(len(p)), left.Load())])
			left.Add(-int64(n))
			came.Add(int64(n))
			return n, err
		}}
	}, asItIs)
	require.NoError(t, afero.WriteFile(r.remote, "/file", long, 0o644))
	r.look()
	err := r.fetch()
	require.ErrorIs(t, err, errCut)
	require.ErrorIs(t, err, remote.ErrUnavailable)
	r.counted()
	left.Store(1 << 40)
	came.Store(0)
	return r, &came
}

// A download goes on where one of the same version was cut off, also after a restart.
func TestResume(t *testing.T) {
	t.Parallel()
	for _, restarted := range []bool{false, true} {
		r, came := cut(t, leastPartial+100)
		p := r.ledger.Partial("file")
		require.NotNil(t, p)
		require.EqualValues(t, leastPartial+100, p.Length)
		if restarted {
			r.restart()
		}
		require.NoError(t, r.fetch())
		r.has(long)
		require.EqualValues(t, len(long)-leastPartial-100+remote.HeadSize, came.Load())
		require.Nil(t, r.ledger.Partial("file"))
	}
}

// restart has the ledger restored from the disk.
func (r *rig) restart() {
	r.ledger = NewLedger(r.local)
	require.NoError(r, r.ledger.Restore(func(temp string) { require.Equal(r, "file-1", temp) }))
	r.counted()
}

// What is too little is not kept.
func TestLittleIsNotKept(t *testing.T) {
	t.Parallel()
	r, _ := cut(t, leastPartial-1)
	require.Nil(t, r.ledger.Partial("file"))
	r.has()
}

// What was damaged, belongs to another version, or has no use any more is not gone on with.
func TestNotResumed(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(t *testing.T, r *rig, temp string) []byte{
		"other bytes": func(t *testing.T, r *rig, temp string) []byte {
			f, err := r.disk.OpenFile(temp, os.O_WRONLY, 0)
			require.NoError(t, err)
			_, err = f.WriteAt([]byte("x"), 1000)
			require.NoError(t, errors.Join(err, f.Close()))
			return long
		},
		"shorter": func(t *testing.T, r *rig, temp string) []byte {
			f, err := r.disk.OpenFile(temp, os.O_WRONLY, 0)
			require.NoError(t, err)
			require.NoError(t, errors.Join(f.Truncate(leastPartial), f.Close()))
			return long
		},
		"gone": func(t *testing.T, r *rig, temp string) []byte {
			require.NoError(t, r.disk.Remove(temp))
			return long
		},
		"another version": func(t *testing.T, r *rig, _ string) []byte {
			require.NoError(t, afero.WriteFile(r.remote, "/file", large, 0o644))
			return large
		},
		"evicted": func(t *testing.T, r *rig, _ string) []byte {
			require.True(t, r.ledger.RemoveAny())
			require.False(t, r.ledger.RemoveAny())
			r.counted()
			return long
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _ := cut(t, leastPartial+100)
			content := damage(t, r, "/"+r.ledger.Partial("file").temp)
			require.NoError(t, r.fetch())
			r.has(content)
		})
	}
}

// Restore keeps what a note describes, and deletes everything else.
func TestRestore(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(t *testing.T, r *rig, temp string) (kept bool){
		"nothing": func(*testing.T, *rig, string) bool { return true },
		"no note": func(t *testing.T, r *rig, temp string) bool {
			require.NoError(t, r.disk.Remove(temp+noteSuffix))
			return false
		},
		"a note alone": func(t *testing.T, r *rig, temp string) bool {
			require.NoError(t, r.disk.Remove(temp))
			return false
		},
		"too short": func(t *testing.T, r *rig, temp string) bool {
			require.NoError(t, afero.WriteFile(r.disk, temp, nil, 0o600))
			return false
		},
		"no JSON": func(t *testing.T, r *rig, temp string) bool {
			require.NoError(t, afero.WriteFile(r.disk, temp+noteSuffix, []byte("{"), 0o600))
			return false
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _ := cut(t, leastPartial+100)
			kept := change(t, r, "/"+r.ledger.Partial("file").temp)
			r.restart()
			require.Equal(t, kept, r.ledger.Partial("file") != nil)
			left, err := afero.ReadDir(r.disk, localdir.PartialDir)
			require.NoError(t, err)
			require.Len(t, left, map[bool]int{true: 2}[kept])
		})
	}
}

// What has arrived of a large file is noted while more comes: the process may die at any moment.
func TestNotedMeanwhile(t *testing.T) {
	t.Parallel()
	size := 3*noteEvery + 100
	r := newRig(t, func(fsys afero.Fs) afero.Fs { return zeros{fsys, int64(size)} }, func(afero.Fs) afero.Fs {
		return afero.NewBasePathFs(afero.NewOsFs(), t.TempDir())
	})
	require.NoError(t, r.fetch())
	left, err := r.local.ReadDir(localdir.PartialDir)
	require.NoError(t, err)
	require.Empty(t, left, "the note is gone with what it describes")

	ctx, cancel := context.WithCancel(t.Context())
	r.ctx = ctx
	d := r.start()
	d.Want()
	require.Eventually(t, func() bool { // as after a kill: nothing was said about an end
		infos, err := r.local.ReadDir(localdir.PartialDir)
		return err == nil && len(infos) == 2
	}, wait, tick)
	cancel()
	<-d.Closed
	require.NotNil(t, r.ledger.Partial("file"))
}

// zeros is a remote with a large file.
type zeros struct {
	afero.Fs
	size int64
}

func (z zeros) Open(name string) (afero.File, error) {
	f, err := z.Fs.Open(name)
	if err != nil {
		return nil, err
	}
	return &zerosFile{sizelessFile{f}, z.size, 0}, nil
}

type zerosFile struct {
	sizelessFile
	size, off int64
}

func (f *zerosFile) Stat() (os.FileInfo, error) {
	fi, err := f.sizelessFile.Stat()
	return zerosInfo{fi, f.size}, err
}

type zerosInfo struct {
	os.FileInfo
	size int64
}

func (i zerosInfo) Size() int64        { return i.size }
func (i zerosInfo) ModTime() time.Time { return time.Unix(1e9, 0) }

func (f *zerosFile) Seek(off int64, _ int) (int64, error) {
	f.off = off
	return off, nil
}

func (f *zerosFile) Read(p []byte) (int, error) {
	n := int(min(int64(len(p)), f.size-f.off))
	if n == 0 {
		return 0, io.EOF
	}
	clear(p[:n])
	f.off += int64(n)
	return n, nil
}
