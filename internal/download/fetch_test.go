package download

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"syscall"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/sftpsyncer/go-syncfs/internal/aferotest"
	"github.com/sftpsyncer/go-syncfs/internal/faultfs"
	"github.com/sftpsyncer/go-syncfs/internal/remote"
)

// A download that is cut off at any operation of the remote leaves nothing, and the next one makes the copy.
func TestCutOnTheRemote(t *testing.T) {
	t.Parallel()
	faultfs.EachIndex(t, func(t *testing.T, p *faultfs.Plan) {
		r := newRig(t, func(remote afero.Fs) afero.Fs { return faultfs.New(remote, p) }, asItIs)
		if err := r.fetch(); err != nil {
			require.ErrorIs(t, err, remote.ErrUnavailable)
			require.ErrorIs(t, err, faultfs.ErrInjected)
			r.has()
			p.Heal()
			require.NoError(t, r.fetch())
		}
		r.has(large)
		require.Empty(t, p.OpenFiles())
	})
}

// The same for the local directory. What cannot be deleted stays until the directory is opened again.
func TestCutLocally(t *testing.T) {
	t.Parallel()
	faultfs.EachIndex(t, func(t *testing.T, p *faultfs.Plan) {
		var disk *exchanged // only what is done after Open fails
		r := newRig(t, asItIs, func(fsys afero.Fs) afero.Fs {
			disk = &exchanged{fsys}
			return disk
		})
		disk.Fs = faultfs.New(r.disk, p)
		if err := r.fetch(); err != nil {
			require.ErrorIs(t, err, faultfs.ErrInjected)
			require.NotErrorIs(t, err, remote.ErrUnavailable)
			p.Heal()
			require.NoError(t, r.fetch())
		}
		p.Heal()
		got, err := afero.ReadFile(r.disk, "/copy")
		require.NoError(t, err)
		require.True(t, bytes.Equal(large, got))
		r.counted()
		require.Empty(t, p.OpenFiles())
	}, faultfs.Fault{}, faultfs.Fault{Effect: faultfs.Part}, faultfs.Fault{Sticky: true})
}

// exchanged is a file system that may become another one.
type exchanged struct{ afero.Fs }

// A version that changes at any read is not mixed with another one.
func TestChanged(t *testing.T) {
	t.Parallel()
	for name, rewrite := range aferotest.Rewrites {
		for at := 1; at <= 6; at++ {
			plan := new(faultfs.Plan)
			r := newRig(t, func(remote afero.Fs) afero.Fs { return faultfs.New(remote, plan) }, asItIs)
			versions, reads := [][]byte{large}, 0
			plan.Before(func(op faultfs.Op) error {
				if op.Kind == faultfs.Read {
					if reads++; reads == at {
						versions = append(versions, rewrite(r.remote, "/file", large, 1))
					}
				}
				return nil
			})
			err := r.fetch()
			plan.Before(nil)
			if err != nil {
				require.ErrorIs(t, err, ErrChanged, "%s at read %d", name, at)
				r.has()
				require.NoError(t, r.fetch())
			}
			r.has(versions...)
		}
	}
}

// unreliable is a remote whose files read as read says.
type unreliable struct {
	afero.Fs
	read func(f afero.File, p []byte) (int, error)
}

func (u unreliable) Open(name string) (afero.File, error) {
	f, err := u.Fs.Open(name)
	if err != nil {
		return nil, err
	}
	return unreliableFile{f, u.read}, nil
}

type unreliableFile struct {
	afero.File
	read func(f afero.File, p []byte) (int, error)
}

func (u unreliableFile) Read(p []byte) (int, error) { return u.read(u.File, p) }

// A read that returns less than was asked for is no end of file.
func TestShortReads(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(remote afero.Fs) afero.Fs {
		return unreliable{remote, func(f afero.File, p []byte) (int, error) { return f.Read(p[:min(len(p), 777)]) }}
	}, asItIs)
	require.NoError(t, r.fetch())
	r.has(large)
}

// An end of file that comes too early is believed by nobody.
func TestEarlyEnd(t *testing.T) {
	t.Parallel()
	for _, after := range []int{0, 1, len(large) / 2, len(large) - 1} {
		left := after
		r := newRig(t, func(remote afero.Fs) afero.Fs {
			return unreliable{remote, func(f afero.File, p []byte) (int, error) {
				if left <= 0 {
					return 0, io.EOF
				}
				n, err := f.Read(p[:min(len(p), left)])
				left -= n
				return n, err
			}}
		}, asItIs)
		require.ErrorIs(t, r.fetch(), remote.ErrUnavailable)
		r.has()
		left = 1 << 30
		require.NoError(t, r.fetch())
		r.has(large)
	}
}

func TestNoFile(t *testing.T) {
	t.Parallel()
	r := newRig(t, asItIs, asItIs)
	require.NoError(t, r.remote.Remove("/file"))
	require.ErrorIs(t, r.fetch(), fs.ErrNotExist)
	require.NoError(t, r.remote.Mkdir("/file", 0o755))
	require.ErrorIs(t, r.fetch(), syscall.EISDIR)
	r.has()
}

// A download of which nobody wants all brings the first bytes, and waits. It ends with its parent.
func TestClosedMeanwhile(t *testing.T) {
	t.Parallel()
	r := newRig(t, asItIs, asItIs)
	ctx, cancel := context.WithCancel(t.Context())
	r.ctx = ctx
	d := r.start()
	<-d.Begun
	require.EqualValues(t, remote.HeadSize, d.Arrived())
	p, known := d.Progress()
	require.True(t, known)
	require.Equal(t, Progress{int64(len(large)), 0, int64(len(large)) - remote.HeadSize}, Progress{p.Size, 0, p.Missing})
	require.Equal(t, "file", d.From())
	version, known := d.Version()
	require.True(t, known)
	require.EqualValues(t, len(large), version.Size)
	cancel()
	<-d.Closed
	require.ErrorIs(t, d.Result(), fs.ErrClosed)
	require.ErrorIs(t, d.Failure(), fs.ErrClosed)
	_, err := d.Size(t.Context())
	require.ErrorIs(t, err, fs.ErrClosed)
	r.has()
}

// What is stated to be empty is read all the same.
func TestUnstatedSize(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, firstRead, firstRead + 1, len(large)} {
		r := newRig(t, func(remote afero.Fs) afero.Fs { return sizeless{remote} }, asItIs)
		content := large[:size]
		require.NoError(t, afero.WriteFile(r.remote, "/file", content, 0o644))
		r.known.Size = 0
		h := r.open()
		h.d.Want()
		got := make([]byte, size+1)
		n, err := h.ReadAt(got, 0)
		require.Equal(t, io.EOF, err)
		require.True(t, bytes.Equal(content, got[:n]))
		end, err := h.d.Size(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, size, end)
		h.close()
		r.has(content)
	}
}

// Where there is no room for it, it is read on the remote.
func TestUnstatedSizeWithoutRoom(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(remote afero.Fs) afero.Fs { return sizeless{remote} }, asItIs)
	r.room, r.known.Size = 1000, 0
	h := r.open()
	h.d.Want()
	got := make([]byte, len(large)+1)
	n, err := h.ReadAt(got, 0)
	require.Equal(t, io.EOF, err)
	require.True(t, bytes.Equal(large, got[:n]))
	h.close()
	r.has()
}

// sizeless is a remote that states no sizes.
type sizeless struct{ afero.Fs }

func (s sizeless) Open(name string) (afero.File, error) {
	f, err := s.Fs.Open(name)
	if err != nil {
		return nil, err
	}
	return sizelessFile{f}, nil
}

type sizelessFile struct{ afero.File }

func (f sizelessFile) Stat() (fs.FileInfo, error) {
	fi, err := f.File.Stat()
	return sizelessInfo{fi}, err
}

type sizelessInfo struct{ fs.FileInfo }

func (sizelessInfo) Size() int64 { return 0 }

// Memory cannot say that there is no room.
func TestCopyInMemoryIsBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t, asItIs, func(afero.Fs) afero.Fs { return afero.NewMemMapFs() })
	d := New(t.Context(), r.store, File{From: "file", Temp: "file-1"}, nil, nil)
	d.version.Size = mostInMemory + 1
	_, err := d.begin(nil, nil)
	require.ErrorIs(t, err, ErrNoRoom)
	require.ErrorIs(t, err, syscall.ENOSPC)
	d.Release()
}
